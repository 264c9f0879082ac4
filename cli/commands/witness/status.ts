// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { REFRESH_SECONDS } from '#core/server/cosign/cosigner.ts'
import { withHome } from '../../deployment/session.ts'
import { readPolicy } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'
import { ago, counted, plain } from '../../terminal/words.ts'
import { isWitnessed, openNewest, standingsOf, type Standing } from '../../witness/asked.ts'
import { quorumOrNull, type Need } from '../../witness/policy-text.ts'
import { probe, type Shown } from '../../witness/probe.ts'
import { fetchKeys, fingerprintOf, linesOf } from '../../witness/published-keys.ts'
import { markIn } from '../../witness/same-machine.ts'
import { newestCheckpoint, withStoredLog, type StoredLog } from '../../witness/stored-log.ts'
import { brief } from './list.ts'

interface StatusOptions extends Common {
  readonly keys?: boolean
}

/** Cosignatures are renewed when they are older than `REFRESH_SECONDS`; twice that means that renewing fails. */
const STALE_SECONDS = 2 * REFRESH_SECONDS

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
      const lines = linesOf(handed)
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
  return withStoredLog(
    call,
    async (stored) => {
      const { folder, settings } = stored
      const log = logOriginOf(settings.origin)
      const policy = readPolicy(folder, settings.origin)
      const note = await newestCheckpoint(stored.platform)
      const size = note === null ? 0 : checkpointIn(note).size
      if (!policy) {
        const none = { ok: true, log, size, quorum: null, reached: false, witnesses: [] }
        call.screen.print(none, [`${log}: nobody witnesses it.`, 'Next: npx ampere witness add URL'])
        return EXIT.ok
      }
      const newest = note === null ? null : await openNewest(policy, note)
      const own = ownLog(stored, log)
      const witnesses = await Promise.all(
        standingsOf(policy, newest).map(async (standing) => {
          const shown = await probe((request) => fetch(request), policy, standing, own)
          return { ...standing, shown }
        }),
      )
      const nowMs = call.screen.terminal.now()
      const quorum = quorumOrNull(policy)
      const oldest = Math.min(...(newest?.cosignatures ?? []).map(({ time }) => time))
      // A home that is stopped renews nothing.
      const isStale = stored.isRunning && nowMs / 1000 - oldest > STALE_SECONDS
      const reached = isWitnessed(policy, newest) && !isStale
      const isAlarmed = witnesses.some(({ shown }) => shown.alarm !== null)
      const ok = !isAlarmed && (reached || policy.quorum === null)
      const items = witnesses.map(({ shown, ...standing }) => ({ ...brief(standing), ...shown }))
      call.screen.print({ ok, log, size, quorum, reached, witnesses: items }, [
        `${log}: ${counted(size, 'leaf', 'leaves')}, ${quorumWords(quorum, reached, isStale)}`,
        ...witnesses.flatMap((each) => witnessLines(each, each.shown, nowMs, call.screen.bad)),
      ])
      if (isAlarmed) return EXIT.verification
      return ok ? EXIT.ok : EXIT.failed
    },
    'look',
  )
}

function ownLog({ platform }: StoredLog, origin: string) {
  return {
    origin,
    newest: async () => {
      const note = await newestCheckpoint(platform)
      return note === null ? null : checkpointIn(note)
    },
    tiles: platform.objects('log'),
  }
}

function quorumWords(quorum: Need | null, reached: boolean, isStale: boolean): string {
  const needs = quorum ? `${quorum.need} of ${quorum.of}` : 'as policy.txt says'
  if (reached) return `quorum reached (${needs})`
  return `quorum NOT reached (${needs})${isStale ? ': its cosignatures are too old' : ''}`
}

function witnessLines(
  { name, url, cosigned: newest }: Standing,
  { why, cosigned, alarm }: Shown,
  nowMs: number,
  bad: (text: string) => string,
): string[] {
  const last = cosigned ?? newest
  const what = last
    ? `cosigned ${counted(last.size, 'leaf', 'leaves')} ${ago(last.time, nowMs)}`
    : 'nothing cosigned'
  const lines = [`  ${plain(name)}  ${what}${why === null ? '' : `; now ${why}`}${markIn(url)}`]
  return alarm === null ? lines : [...lines, `    ${bad('ALARM')} ${ALARMS[alarm]}`]
}

const ALARMS = {
  rollback:
    'it has cosigned more than this home has: the stores here are an older copy. Stop the server; docs/OPERATIONS.md, "The log"',
  fork: 'it has cosigned another history of this log than the one here. Stop the server; docs/OPERATIONS.md, "The log"',
} as const
