// SPDX-License-Identifier: Apache-2.0
import { asDigest, type Digest } from '#core/bytes/ids.ts'
import { isAmpereError } from '#core/errors.ts'
import { verifyExport, type ExportReport } from '#core/client/export/verify-export.ts'
import { dataFolder, readSettings } from '../../deployment/settings.ts'
import { shortId, withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { auditHome } from '../../proof/audit.ts'
import { problemIn, problemLine, withoutRepeats, type Problem } from '../../proof/problem.ts'
import { verifyChain, type Verified } from '../../proof/verify-chain.ts'
import { readInput } from '../../terminal/files.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

interface VerifyOptions extends ActingOptions {
  readonly all?: boolean
  readonly registry?: string
}

/** Largest export that is read, in bytes: half of what a JavaScript string can hold. */
const MAX_EXPORT_BYTES = 256 * 1024 * 1024
const NO_WITNESS = 'receipts of the log, and its witnesses'

/** Verifies an exported file without any server, or with --all every record and everything that the home holds. */
export async function verify(call: Call<VerifyOptions>): Promise<number> {
  const [file] = call.args
  if (file !== undefined && call.options.all === true) throw usage('give a file or --all, not both')
  if (file !== undefined) return verifyFile(call, file)
  if (call.options.all !== true) throw usage('name an exported file, or give --all')
  return withSession(call, async (session) => {
    const verified = await verifyRecords(session, call.screen)
    const audited = await auditHome(session, session.open.connection, call.screen)
    return report(call.screen, session, verified, audited)
  })
}

async function verifyRecords({ open }: Session, screen: Screen): Promise<readonly Verified[]> {
  const records = await open.records()
  const progress = screen.progress({ doing: 'Verifying', unit: 'records', total: records.length })
  const verified: Verified[] = []
  try {
    for (const { chain } of records) {
      verified.push(await verifyChain(open.connection, chain))
      progress.update(verified.length)
    }
  } finally {
    progress.stop()
  }
  return verified
}

function report(
  screen: Screen,
  { open, settings }: Session,
  verified: readonly Verified[],
  audited: Awaited<ReturnType<typeof auditHome>>,
): number {
  const problems = withoutRepeats([...verified.flatMap((result) => result.problems), ...audited.findings])
  const [first] = problems
  const sum = (of: (result: Verified) => number) => verified.reduce((total, result) => total + of(result), 0)
  const counts = {
    records: verified.length,
    blocks: sum(({ blocks }) => blocks),
    entries: sum(({ entries }) => entries),
    erased: sum(({ erased }) => erased),
    notGranted: sum(({ notGranted }) => notGranted),
  }
  const { chains, blocks } = audited
  const registryAsOf = open.connection.sync.registry.link()?.place.time ?? null
  const asOf = registryAsOf === null ? '' : `, registry as of ${localTime(registryAsOf)}`
  const ok = problems.length === 0
  const institution = open.institution.id
  const others = settings.institutions.filter((id) => id !== institution)
  const unchecked = [
    ...(counts.notGranted > 0
      ? [`the contents of ${counted(counts.notGranted, 'entry', 'entries')} that ${institution} may not open`]
      : []),
    ...(others.length > 0 ? [`records that only ${others.join(' or ')} knows (--as ID)`] : []),
    NO_WITNESS,
  ]
  screen.print({ ok, institution, ...counts, audited: { chains, blocks }, registryAsOf, problems }, [
    `As ${institution}: ${counted(counts.records, 'record')}, ${counted(counts.blocks, 'block')}, ${counted(counts.entries, 'entry', 'entries')}, ${counts.erased} erased, not witnessed${asOf}`,
    `The home's stores: ${counted(chains, 'chain')}, ${counted(blocks, 'block')} audited`,
    ...problems.map((problem) => `${shortId(problem.chain)}  ${screen.bad(problemLine(problem))}`),
    ...(ok ? ['Everything that is stored is what was signed.'] : []),
    `  Not checked: ${unchecked.join('; ')}.`,
    ...(first ? [`  Next: ${nextFor(first)}`] : []),
  ])
  return ok ? EXIT.ok : EXIT.verification
}

function nextFor({ chain, height }: Problem): string {
  return `npx ampere chain show ${shortId(chain)}${height === null ? '' : ` --block ${height}`}`
}

async function verifyFile({ screen, options }: Call<VerifyOptions>, file: string): Promise<number> {
  const bytes = readInput(
    file,
    MAX_EXPORT_BYTES,
    'larger records are verified by the home: npx ampere verify --all',
  )
  const pinned = pinnedRegistry(options, screen)
  const checked = await checkFile(bytes, pinned, screen.terminal.now())
  const { report: found, problems } = checked
  const ok = problems.length === 0
  const summary = found
    ? `${counted(found.blocks, 'block')}, ${counted(found.entries, 'entry', 'entries')}, ${found.erased} erased, not witnessed, complete as of ${localTime(found.asOf)} as its home says`
    : 'Not a whole record'
  screen.print({ ok, pinned: pinned !== undefined, ...found, problems }, [
    summary,
    ...(pinned === undefined && found
      ? [`  Not checked: whether registry ${found.registry} is one to trust (--registry ID pins it)`]
      : []),
    ...problems.map((problem) => screen.bad(problemLine(problem))),
    ...(ok ? ['Everything in the file is what was signed.'] : []),
    `  Not checked: contents, which stay sealed; ${NO_WITNESS}.`,
    ...(ok ? [] : [`  Next: ${nextForFile(problems)}`]),
  ])
  return ok ? EXIT.ok : EXIT.verification
}

/** What begins as an export and does not go on as one was cut or changed; what does not begin so is no export. */
function cutShort(error: unknown): Problem | null {
  if (!isAmpereError(error, 'EXPORT_MALFORMED') || error.message.startsWith('line 1:')) return null
  return { chain: '', height: null, status: 'tampered', rule: 'export-form', detail: error.message }
}

function nextForFile(problems: readonly Problem[]): string {
  return problems.some(({ rule }) => rule === 'registry')
    ? 'a file of another deployment is verified with --registry ID, by an id that you got from whom you trust'
    : 'keep this file as evidence, and export the record anew'
}

/** The registry that is trusted: the given one, else that of the data folder, if there is one. */
function pinnedRegistry(options: VerifyOptions, screen: Screen): Digest | undefined {
  if (options.registry !== undefined) return givenRegistry(options.registry)
  return readSettings(dataFolder(options.data, screen.terminal.env))?.registry
}

function givenRegistry(text: string): Digest {
  try {
    return asDigest(text)
  } catch {
    throw usage('--registry: a whole registry id is expected, 43 characters; settings.json has it')
  }
}

async function checkFile(
  bytes: Uint8Array,
  pinned: Digest | undefined,
  nowMs: number,
): Promise<{ readonly report: ExportReport | null; readonly problems: readonly Problem[] }> {
  try {
    const found = await verifyExport(bytes, { ...(pinned === undefined ? {} : { registry: pinned }), nowMs })
    const problems = found.problems.map((item) => ({ ...item, chain: found.chain }))
    return { report: found, problems }
  } catch (error) {
    const problem = problemIn(error, '') ?? cutShort(error)
    if (!problem) throw error
    return { report: null, problems: [problem] }
  }
}
