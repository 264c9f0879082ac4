// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { asDigest, type Digest } from '#core/bytes/ids.ts'
import { logCounts, logPhrase } from '#core/client/export/log-counts.ts'
import { exportFailure, MAX_EXPORT_BYTES } from '#core/client/export/failure.ts'
import { verifyExport, type ExportReport, type VerifyOptions } from '#core/client/export/verify-export.ts'
import { createShown } from '#core/client/receipt/shown.ts'
import { isAmpereError } from '#core/errors.ts'
import { MAX_POLICY_BYTES, parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { dataFolder, readSettings } from '../../deployment/settings.ts'
import { evidenceFiles } from '../../evidence/files.ts'
import { pinnedPolicy, policyFile } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { nextForEvidence } from '../../program/failure.ts'
import { usage } from '../../program/refuse.ts'
import { pinnedMonitors, readMonitors } from '../../monitor/asked.ts'
import { completeJson, recordPhrase, type Unknown } from '../../proof/completeness.ts'
import { problemIn, problemLine, type Problem } from '../../proof/problem.ts'
import { readInput } from '../../terminal/files.ts'
import { EXIT, type Common, type Screen } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'
import { markOfAll } from '../../witness/same-machine.ts'

/** What a file is judged by, beside itself. */
export interface VerifyFileOptions extends Common {
  readonly registry?: string
  readonly policy?: string
  readonly monitors?: string
  /** Another export that is compared with it. */
  readonly beside?: string
}

/** Verifies an exported file without any server. */
export async function verifyFile(
  { screen, options }: Call<VerifyFileOptions>,
  file: string,
): Promise<number> {
  const pins = pinsOf(options, screen)
  const judging = { ...pins, nowMs: screen.terminal.now(), shown: createShown() }
  const beside = options.beside === undefined ? null : await checkFile(readExport(options.beside), judging)
  const { report: found, problems: own } = await checkFile(readExport(file), judging)
  const problems = [...(beside?.problems ?? []), ...own]
  const ok = problems.length === 0
  const counts = found && logCounts([found.log])
  const summary = found
    ? `${counted(found.blocks, 'block')}, ${counted(found.entries, 'entry', 'entries')}, ${found.erased} erased, ${logPhrase(counts, markOfAll(pins.policy))}, as of ${localTime(found.asOf)} as its home says`
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

/** What is trusted: the given registry, policy and monitors, else those of the data folder, if there is one; that keeps evidence. */
function pinsOf(
  options: VerifyFileOptions,
  screen: Screen,
): Pick<VerifyOptions, 'registry' | 'policy' | 'monitors' | 'evidence'> {
  const folder = dataFolder(options.data, screen.terminal.env)
  const settings = readSettings(folder)
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
