// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import type { Connection } from '#core/client/connect.ts'
import { isAmpereError } from '#core/errors.ts'
import { WITNESS_PREFIX } from '#core/api/log.ts'
import { markIn, SAME_MACHINE } from '../../witness/same-machine.ts'
import { awaitReceipts } from '../../demo/witness/receipts.ts'
import type { OpenHome } from '../../open/home.ts'
import type { OpenBridge } from '../../open/bridge.ts'
import { readPolicy } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { problemLine, type Problem } from '../../proof/problem.ts'
import { verifyChain, type Verified } from '../../proof/verify-chain.ts'
import { counted, duration } from '../../terminal/words.ts'
import { byGravity, listedFinding, type ListedFinding } from '../data/findings.ts'
import type { Opening, StartOptions } from './opening.ts'
import { VERSION } from '../../version.ts'

/**
 * What a start says: of the demo everything, of a real deployment what needs no opening of records.
 * `verifier` is a connection that has seen nothing yet, so that verifying is the whole of it.
 */
export async function reportStart(
  call: Call<StartOptions>,
  opening: Opening,
  home: OpenHome,
  bridges: readonly OpenBridge[],
  verifier: Connection | null,
  isAlarmed: () => boolean,
): Promise<boolean> {
  const { settings } = opening
  const [a] = bridges
  if (settings.demo?.record && settings.demo.patient && a) {
    const demo = { record: settings.demo.record, patient: settings.demo.patient }
    return reportDemo(call, opening, home, a, verifier ?? a.connection, demo, isAlarmed)
  }
  const records = (await Promise.all(bridges.map(async (open) => open.records()))).flat()
  const known = new Set(records.map(({ chain }) => chain)).size
  const { institutions, origin } = settings
  call.screen.print({ ok: true, version: VERSION, origin, institutions, records: known }, [
    `Ampere ${VERSION}, ready in ${duration(call.screen.terminal.now() - opening.startedMs)}`,
    `  ${counted(institutions.length, 'institution')}, ${counted(known, 'record')}; not verified at start: npx ampere verify --all`,
    `  ${witnessLine(opening)}`,
    ...openLines(call, origin),
    'Try   npx ampere import FILE, npx ampere doctor',
  ])
  return true
}

function witnessLine({ folder, settings }: Opening): string {
  const witnesses = readPolicy(folder, settings.origin)?.witnesses ?? []
  const names = new Set(witnesses.map(({ key, url }) => `${key.name}${markIn(url)}`))
  return names.size === 0
    ? 'Witness: none (policy.txt). A home that shows two histories is found only when its readers compare.'
    : `Witness: ${[...names].join(', ')}`
}

async function reportDemo(
  call: Call<StartOptions>,
  opening: Opening,
  home: OpenHome,
  a: OpenBridge,
  verifier: Connection,
  demo: { readonly record: ChainId; readonly patient: string },
  isAlarmed: () => boolean,
): Promise<boolean> {
  const verified = await verifyChain(verifier, demo.record)
  const { resources, findings } = await demoContents(a, demo, verified.problems)
  const { settings, startedMs } = opening
  const { institutions, origin } = settings
  const isVerified = verified.problems.length === 0
  const proof = isVerified ? await proveDemo(call, opening, home, verifier, demo.record) : null
  // Where all is witnessed already nobody else asks the log to go on.
  if (call.options.once === true) await home.tendLog()
  const ok = isVerified && !isAlarmed()
  const { blocks, entries, erased, problems } = verified
  const { record, patient } = demo
  const said = { version: VERSION, origin, institutions, patients: 1, record, patient }
  call.screen.print(
    {
      ok,
      ...said,
      resources,
      blocks,
      entries,
      erased,
      ...proof?.json,
      findings: findings.map(brief),
      problems,
    },
    [
      `Ampere ${VERSION}, demo data, this computer only, ready in ${duration(call.screen.terminal.now() - startedMs)}`,
      `  ${counted(institutions.length, 'institution')}, 1 patient, ${resources === null ? '' : `${counted(resources, 'resource')}, `}${counted(blocks, 'block')}`,
      ...verifiedLines(call, verified),
      ...(proof?.lines ?? []),
      ...(isAlarmed() ? [`  ${call.screen.bad('The log does not go on')}: Next: npx ampere doctor`] : []),
      ...(findings.length === 0 ? [] : [`  ${counted(findings.length, 'problem')} found in the data:`]),
      ...findings.map(({ severity, title }) => `    ${severity.padEnd(6)}  ${title}`),
      ...openLines(call, origin),
      ...tryLines(call, origin, demo.patient),
    ],
  )
  return ok
}

/** What became of the demo's blocks in the log, and who witnesses. Waits for the witness where there is one. */
async function proveDemo(
  { screen }: Call<StartOptions>,
  { witness }: Opening,
  home: OpenHome,
  connection: Connection,
  record: ChainId,
): Promise<{ readonly json: object; readonly lines: readonly string[] }> {
  const state = await witness?.state()
  const port = state && 'port' in state ? state.port : null
  const { blocks, logged, witnessed } = await awaitReceipts(screen, home, connection, record, port !== null)
  const url = port === null ? null : `http://127.0.0.1:${port}${WITNESS_PREFIX}`
  const failed = state && 'failed' in state ? state.failed : null
  const said = witness && { name: witness.name, url, failed, mark: SAME_MACHINE }
  const who = failed === null ? `at 127.0.0.1:${port ?? ''}` : `cannot be started: ${failed}`
  return {
    json: { logged, witnessed, witness: said },
    lines: [
      `  ${witnessed} of ${counted(blocks, 'block')} witnessed${witnessed < blocks ? `, ${logged} logged` : ''}`,
      `  Witness: ${said ? `${who} (${SAME_MACHINE})` : 'not started (--no-witness)'}`,
    ],
  }
}

/** What is in the record, or nothing where it cannot be read because it was damaged. */
async function demoContents(
  a: OpenBridge,
  demo: { readonly record: string; readonly patient: string },
  problems: readonly Problem[],
): Promise<{ readonly resources: number | null; readonly findings: readonly ListedFinding[] }> {
  try {
    const { projection } = await a.bridge.record(demo.patient)
    const findings = projection.findings.map((finding) => listedFinding(finding, demo.record))
    return { resources: projection.resources.size, findings: byGravity(findings) }
  } catch (error) {
    if (problems.length === 0 || !isAmpereError(error)) throw error
    return { resources: null, findings: [] }
  }
}

function brief({ severity, rule, title }: ListedFinding) {
  return { severity, rule, title }
}

function verifiedLines({ screen }: Call<StartOptions>, { problems, erased, ms }: Verified): string[] {
  const [first] = problems
  if (!first) {
    const gone = erased === 0 ? '' : `; ${counted(erased, 'entry', 'entries')} erased on request`
    return [`  Verified in ${duration(ms)}: the record is as it was signed${gone}`]
  }
  return [
    ...problems.map((problem) => `  ${screen.bad(problemLine(problem))}`),
    '  Next: npx ampere verify --all',
  ]
}

function openLines({ options }: Call<StartOptions>, origin: string): string[] {
  return options.once === true ? [] : [`Open  ${origin}/.well-known/ampere    Stop  Ctrl+C`]
}

/** Of what can be tried next, only that which works: after `--once` nothing is served. */
export function tryLines(
  { options }: Pick<Call<StartOptions>, 'options'>,
  origin: string,
  patient: string,
): string[] {
  const asking = `      curl '${origin}/hospital-b/fhir/Patient/${patient}/$everything?_count=3'`
  return [
    'Try   npx ampere findings',
    '      npx ampere demo tamper && npx ampere verify --all    (damages the demo: see what is found)',
    // With a login whoever has no token gets 401.
    ...(options.once === true || options.requireLogin === true ? [] : [asking]),
  ]
}
