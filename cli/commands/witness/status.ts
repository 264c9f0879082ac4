// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { reachCloud } from '../../cloud/reach-home.ts'
import { withHome } from '../../deployment/session.ts'
import { readPolicy } from '../../open/policy.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, plain } from '../../terminal/words.ts'
import { lookAtWitnesses, type Look } from '../../witness/look/look.ts'
import { quorumOrNull, type Need } from '../../witness/policy/policy-text.ts'
import { fetchKeys, fingerprintOf, linesOf } from '../../witness/published-keys.ts'
import { markIn } from '../../witness/same-machine.ts'
import { servedLog, storedLog, type LookedAt } from '../../witness/look/looked-at.ts'
import { withStoredLog } from '../../witness/look/stored-log.ts'
import { brief, cosignedPhrase } from './list.ts'

interface StatusOptions extends CloudOption {
  readonly keys?: boolean
}

/** Where it is said what to do. */
const MANUAL = 'docs/OPERATIONS.md, "The log"'

/** Asks every witness of the policy what it has cosigned; with --keys prints what other operators need instead. */
export async function witnessStatus(call: Call<StatusOptions>): Promise<number> {
  return call.options.keys === true ? printKeys(call) : printStatus(call)
}

async function printKeys(call: Call<StatusOptions>): Promise<number> {
  return withHome(
    call,
    () => [],
    async ({ fetch: fetchHome, settings }) => {
      const handed = await fetchKeys(fetchHome, settings.origin)
      const said = (keys: typeof handed.log) => keys && fingerprintOf(keys.keys)
      const fingerprints = { log: said(handed.log), witness: said(handed.witness) }
      // Exactly one quorum line is in a policy (c2sp.org/tlog-policy); with it others can use the file as one.
      const lines = [...linesOf(handed), 'quorum none']
      // On standard error, so that the lines alone go into a file.
      call.screen.say(`Fingerprint of the log      ${fingerprints.log ?? ''}`)
      call.screen.say(`Fingerprint of the witness  ${fingerprints.witness ?? ''}`)
      call.screen.print({ ok: true, fingerprints, lines }, lines)
      return EXIT.ok
    },
    'look',
  )
}

async function printStatus(call: Call<StatusOptions>): Promise<number> {
  // A home of this computer is looked at in its stores, which shows more than it serves.
  if (call.options.cloud === undefined)
    return withStoredLog(call, (stored) => sayStatus(call, storedLog(stored), stored.folder), 'look')
  const { folder, settings, fetch } = await reachCloud(call, call.options.cloud)
  return sayStatus(call, servedLog(settings.origin, fetch), folder)
}

async function sayStatus(
  { screen, options }: Call<StatusOptions>,
  looked: LookedAt,
  folder: string,
): Promise<number> {
  const log = logOriginOf(looked.origin)
  const policy = readPolicy(folder, looked.origin)
  const note = await looked.newest()
  const size = note === null ? 0 : checkpointIn(note).size
  const trouble = await looked.trouble(policy)
  const stage = options.cloud?.replace(/^(?:aws|azure)-/, '')
  const next = stage === undefined ? 'npx ampere doctor' : `npx ampere deploy status --stage ${stage}`
  if (!policy) {
    const none = { ok: trouble === null, log, size, quorum: null, reached: false, trouble, witnesses: [] }
    const lines =
      trouble === null ? ['Next: npx ampere witness add URL'] : troubleLines(trouble, next, screen.bad)
    screen.print(none, [`${log}: nobody witnesses it.`, ...lines])
    return trouble === null ? EXIT.ok : EXIT.verification
  }
  const nowMs = screen.terminal.now()
  const { witnesses, reached, isStale } = await lookAtWitnesses(looked, policy, nowMs)
  const quorum = quorumOrNull(policy)
  const isAlarmed = witnesses.some(({ shown }) => shown.alarm !== null)
  const isWitnessed = reached || policy.quorum === null
  const ok = !isAlarmed && trouble === null && isWitnessed
  const items = witnesses.map(({ shown, last, ...standing }) => ({ ...brief(standing), ...shown, last }))
  screen.print({ ok, log, size, quorum, reached, trouble, witnesses: items }, [
    `${log}: ${counted(size, 'leaf', 'leaves')}, ${quorumWords(quorum, reached, isStale)}`,
    ...troubleLines(trouble, next, screen.bad),
    ...witnesses.flatMap((each) => witnessLines(each, nowMs, screen.bad)),
  ])
  if (isAlarmed || trouble !== null) return EXIT.verification
  return ok ? EXIT.ok : EXIT.failed
}

/** That the log cannot go on, which no witness sees: what it cosigned last stays as it is. */
function troubleLines(trouble: string | null, next: string, bad: (text: string) => string): string[] {
  if (trouble === null) return []
  return [`  ${bad('ALARM')} the log cannot go on: ${trouble}. Stop the server; ${MANUAL}`, `  Next: ${next}`]
}

function quorumWords(quorum: Need | null, reached: boolean, isStale: boolean): string {
  const needs = quorum ? `${quorum.need} of ${quorum.of} must cosign` : 'who must cosign, policy.txt says'
  if (reached) return `quorum reached: ${needs}`
  return `quorum NOT reached: ${needs}${isStale ? ', and the cosignatures are too old' : ''}`
}

function witnessLines(
  { name, url, cosigned: newest, shown: { why, cosigned, alarm, clock }, last }: Look['witnesses'][number],
  nowMs: number,
  bad: (text: string) => string,
): string[] {
  const what = cosignedPhrase(cosigned ?? newest, last, nowMs)
  const lines = [`  ${plain(name)}  ${what}${why === null ? '' : `; now ${why}`}${markIn(url)}`]
  if (clock !== null)
    lines.push(`    clock: what it cosigned is ${CLOCKS[clock]} by over two minutes, and is not kept`)
  return alarm === null ? lines : [...lines, `    ${bad('ALARM')} ${ALARMS[alarm]}`]
}

const CLOCKS = {
  ahead: 'ahead of this computer',
  behind: 'behind the log',
} as const

const ALARMS = {
  rollback: `it has cosigned more than this home has: the stores here are an older copy. Stop the server; ${MANUAL}`,
  fork: `it has cosigned another history of this log than the one here. Stop the server; ${MANUAL}`,
} as const
