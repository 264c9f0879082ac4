// SPDX-License-Identifier: Apache-2.0
import { completeJson } from '#core/client/complete/completeness-json.ts'
import { existsSync } from 'node:fs'
import * as v from 'valibot'
import { logOriginOf } from '#core/api/log.ts'
import { asDigest, type Digest } from '#core/bytes/ids.ts'
import { logCounts, logPhrase } from '#core/client/export/log-counts.ts'
import { exportFailure, MAX_EXPORT_BYTES } from '#core/client/export/failure.ts'
import { verifyExport, type ExportReport, type VerifyOptions } from '#core/client/export/verify-export.ts'
import { createShown } from '#core/client/receipt/shown.ts'
import { isAmpereError } from '#core/errors.ts'
import { MAX_POLICY_BYTES, parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { pinnedOf } from '../../cloud/target.ts'
import { evidenceFiles } from '../../evidence/files.ts'
import { pinnedPolicy, policyFile } from '../../open/policy.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { nextForEvidence } from '../../program/failure.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { pinnedMonitors, readMonitors } from '../../monitor/asked.ts'
import { recordPhrase, type Unknown } from '../../proof/completeness.ts'
import { problemIn, problemLine, type Problem } from '../../proof/problem.ts'
import { readInput } from '../../terminal/files.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime, plain } from '../../terminal/words.ts'
import { markOfAll } from '../../witness/same-machine.ts'

/** What a file is judged by, beside itself. */
export interface VerifyFileOptions extends CloudOption {
  readonly registry?: string
  readonly policy?: string
  readonly monitors?: string
  /** Another export that is compared with it. */
  readonly beside?: string
}

/** Verifies an exported file without any server. */
export async function verifyFile(call: Call<VerifyFileOptions>, file: string): Promise<number> {
  const { screen, options } = call
  const pins = pinsOf(call)
  const judging = { ...pins, nowMs: screen.terminal.now(), shown: createShown() }
  const check = (name: string) => {
    const bytes = readExport(name)
    const { policy: pinned = null, ...others } = judging
    const policy = policyFor(bytes, pinned, options.policy)
    return checkFile(bytes, { ...others, ...(policy ? { policy } : {}) })
  }
  const beside = options.beside === undefined ? null : await check(options.beside)
  const { report: found, problems: own } = await check(file)
  const problems = [...(beside?.problems ?? []), ...own]
  const ok = problems.length === 0
  const counts = found && logCounts([found.log])
  const summary = found
    ? `${counted(found.blocks, 'block')}, ${counted(found.entries, 'entry', 'entries')}, ${found.erased} erased, ${logPhrase(counts, markOfAll(pins.policy))}, as of ${localTime(found.asOf)} as its home says`
    : isOtherRegistry(problems)
      ? 'Not verified: the file is of another registry than the one that is trusted'
      : 'Not a whole record'
  screen.print(
    { ok, pinned: pins.registry !== undefined, ...found, ...(found ? judgedJson(found) : {}), problems },
    [
      summary,
      ...(found ? recordPhrase(found.complete, pins.monitors?.need ?? 0, UNKNOWN) : []),
      ...(pins.registry === undefined && found
        ? [`  Not checked: whether registry ${found.registry} is one to trust (--registry ID pins it)`]
        : []),
      ...(found && !found.log ? [notJudged(found)] : []),
      ...problems.map((problem) => screen.bad(problemLine(problem))),
      ...(ok ? ['Everything in the file is what was signed.'] : []),
      '  Not checked: contents, which stay sealed.',
      ...(ok ? [] : [`  Next: ${nextForFile(problems)}`]),
    ],
  )
  return ok ? EXIT.ok : EXIT.verification
}

/** Nothing of the file was looked at then: it may be whole. */
const isOtherRegistry = (problems: readonly Problem[]) =>
  problems.some(({ rule, detail }) => rule === 'registry' && detail.includes('than the pinned one'))

function judgedJson({ log, complete }: ExportReport) {
  return { log: logCounts([log]), complete: completeJson(complete) }
}

const UNKNOWN: Unknown = {
  'no-monitor': 'no monitor is trusted here (--monitors FILE says which)',
  'no-quorum': 'no witnesses are trusted here (--policy FILE says which)',
  'no-lookup': 'the file has no answer of a trusted monitor',
  'no-label-key': 'the file does not show which block its monitors were asked for',
  'head-not-witnessed': 'witnesses had not seen the newest block when the file was made',
  growing: 'it grew meanwhile',
}

function readExport(file: string): Uint8Array {
  const instead = 'larger records are verified by the home: npx ampere verify --all'
  return readInput(file, MAX_EXPORT_BYTES, instead, { mayBeEmpty: true })
}

function notJudged({ receipts, origin }: ExportReport): string {
  return `  Not checked: ${counted(receipts, 'receipt')} of the log of ${origin} (--policy FILE says which keys to trust)`
}

/** What begins as an export and is not one as it was made: exit 3. What is none at all says nothing of a record: exit 1. */
function foundIn(error: unknown): Problem | null {
  if (!isAmpereError(error) || exportFailure(error) !== 'tampered') return null
  const cut = { chain: '', height: null, status: 'tampered', rule: 'export-form', detail: '' }
  return problemIn(error, '') ?? { ...cut, detail: error.message }
}

function nextForFile(problems: readonly Problem[]): string {
  const [kept] = problems.flatMap(({ detail }) => nextForEvidence(detail) ?? [])
  if (kept !== undefined) return kept
  return problems.some(({ rule }) => rule === 'registry')
    ? 'a file of another deployment is verified with --registry ID, by an id that you got from whom you trust'
    : 'keep this file as evidence, and export the record anew'
}

/** What is trusted: the given registry, policy and monitors, else those that are pinned here, if any are; where they are, evidence is kept. */
function pinsOf(
  call: Call<VerifyFileOptions>,
): Pick<VerifyOptions, 'registry' | 'policy' | 'monitors' | 'evidence'> {
  const { options } = call
  const { folder, settings } = pinnedOf(call)
  const registry = options.registry === undefined ? settings?.registry : givenRegistry(options.registry)
  const policy =
    options.policy === undefined ? settings && pinnedPolicy(folder, settings) : givenPolicy(options.policy)
  const monitors =
    options.monitors === undefined ? settings && pinnedMonitors(folder) : readMonitors(options.monitors)
  return {
    ...(registry === undefined ? {} : { registry }),
    ...(policy ? { policy } : {}),
    ...(monitors ? { monitors } : {}),
    // Without a data folder there is no place of ours for it.
    ...(settings ? { evidence: evidenceFiles(folder) } : {}),
  }
}

/**
 * The policy by which a file is judged: it must have a key of that file's log. Receipts of a log that nobody named are not
 * wrong, they are not judged.
 * @param given the file that was named; where none was, the folder's own policy is of its own home only
 * @throws AmpereError CONFIGURATION for a policy that was named and is of other logs
 */
function policyFor(bytes: Uint8Array, policy: Policy | null, given: string | undefined): Policy | null {
  const origin = originIn(bytes)
  if (!policy || origin === null) return policy
  const log = logOriginOf(origin)
  if (policy.logs.some(({ key }) => key.name === log)) return policy
  if (given === undefined) return null
  const names = [...new Set(policy.logs.map(({ key }) => key.name))].join(', ') || 'no log'
  throw refuse(
    'CONFIGURATION',
    `${given} has keys of ${plain(names)} and none of ${plain(log)}, the log of the home of this file`,
    'ask its operator for policy.txt, or for what npx ampere witness status --keys prints there',
  )
}

/** The origin that the first line of an export names; null where that is none, which is found when it is verified. */
function originIn(bytes: Uint8Array): string | null {
  const end = bytes.indexOf(0x0a)
  try {
    const first: unknown = JSON.parse(
      new TextDecoder().decode(bytes.subarray(0, Math.min(Math.max(end, 0), 4096))),
    )
    return v.parse(
      v.object({
        origin: v.pipe(
          v.string(),
          v.check((text) => URL.canParse(text)),
        ),
      }),
      first,
    ).origin
  } catch {
    return null
  }
}

function givenRegistry(text: string): Digest {
  try {
    return asDigest(text)
  } catch {
    throw usage('--registry: a whole registry id is expected, 43 characters; settings.json has it')
  }
}

function givenPolicy(file: string): Policy {
  if (!existsSync(file)) throw usage(`--policy: there is no file ${file}; a home's is ${policyFile('DATA')}`)
  try {
    return parsePolicy(readInput(file, MAX_POLICY_BYTES, 'a policy is smaller'))
  } catch (error) {
    if (isAmpereError(error)) throw usage(`--policy: ${error.message}`)
    throw error
  }
}

async function checkFile(
  bytes: Uint8Array,
  options: VerifyOptions,
): Promise<{ readonly report: ExportReport | null; readonly problems: readonly Problem[] }> {
  try {
    const found = await verifyExport(bytes, options)
    const problems = found.problems.map((item) => ({ ...item, chain: found.chain }))
    return { report: found, problems }
  } catch (error) {
    const problem = foundIn(error)
    if (!problem) throw error
    return { report: null, problems: [problem] }
  }
}
