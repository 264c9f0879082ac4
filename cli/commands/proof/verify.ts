// SPDX-License-Identifier: Apache-2.0
import { logCounts, logPhrase } from '#core/client/export/log-counts.ts'
import { isAmpereError } from '#core/errors.ts'
import type { AuditReport } from '#core/server/audit/report.ts'
import { shortId, withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { auditHome } from '../../proof/audit.ts'
import { logFindingLine } from '../../proof/audit-log.ts'
import { completeCounts, completePhrase } from '../../proof/completeness.ts'
import { adviceLines, LOG_MANUAL } from '../../proof/log-advice.ts'
import { mirrorSummary } from '../../proof/mirrored.ts'
import { problemLine, withoutRepeats, type Problem } from '../../proof/problem.ts'
import { verifyChain, type Verified } from '../../proof/verify-chain.ts'
import { verifyHomeLog } from '../../proof/verify-log.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'
import { markOfAll } from '../../witness/same-machine.ts'
import { verifyFile, type VerifyFileOptions } from './verify-file.ts'

interface VerifyOptions extends ActingOptions, VerifyFileOptions {
  readonly all?: boolean
}

/** Verifies an exported file without any server, or with --all every record and everything that the home holds. */
export async function verify(call: Call<VerifyOptions>): Promise<number> {
  const [file] = call.args
  if (file !== undefined && call.options.all === true) throw usage('give a file or --all, not both')
  if (file !== undefined) return verifyFile(call, file)
  if (call.options.all !== true) throw usage('name an exported file, or give --all')
  return withSession(call, (session) => verifyAll(session, call.screen), 'look')
}

async function verifyAll(session: Session, screen: Screen): Promise<number> {
  const verified = await verifyRecords(session, screen)
  const audited = await auditIfAllowed(session, screen)
  const served = await verifyHomeLog(session.open.connection, screen)
  return report(screen, session, { verified, audited, served })
}

/** Null where the running server audits itself for its operators alone: the rest needs no right of theirs. */
async function auditIfAllowed(session: Session, screen: Screen): Promise<AuditReport | null> {
  try {
    return await auditHome(session, session.open.connection, screen)
  } catch (error) {
    if (!session.home && isAmpereError(error, 'FORBIDDEN')) return null
    throw error
  }
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

interface AllVerified {
  readonly verified: readonly Verified[]
  readonly audited: AuditReport | null
  readonly served: Awaited<ReturnType<typeof verifyHomeLog>>
}

function report(
  screen: Screen,
  { open, settings }: Session,
  { verified, audited, served }: AllVerified,
): number {
  const ofStores = audited?.findings ?? []
  const problems = withoutRepeats([...verified.flatMap((result) => result.problems), ...ofStores])
  const [first] = problems
  const counts = countsOf(verified)
  const log = logCounts(verified.map((result) => result.log))
  const complete = completeCounts(verified.map((result) => result.complete))
  const mirrored = verified.map(({ blocks: of, mirrors }) => ({ height: of - 1, words: mirrors }))
  const mirrors = verified.flatMap(({ chain, mirrors: words }) => words.map((word) => ({ chain, ...word })))
  const registryAsOf = open.connection.sync.registry.link()?.place.time ?? null
  const asOf = registryAsOf === null ? '' : `, registry as of ${localTime(registryAsOf)}`
  const ofLog = served?.findings ?? []
  const ok = problems.length + ofLog.length === 0
  const institution = open.institution.id
  const unchecked = uncheckedOf({
    settings,
    institution,
    notGranted: counts.notGranted,
    isPinned: open.connection.ports.pins.policy !== null,
    unjudged: verified.filter((result) => result.log === null).length,
    isAudited: audited !== null,
  })
  screen.print(
    {
      ok,
      institution,
      ...counts,
      log,
      complete,
      mirrors,
      audited: audited && { chains: audited.chains, blocks: audited.blocks },
      served,
      registryAsOf,
      problems,
    },
    [
      `As ${institution}: ${counted(counts.records, 'record')}, ${counted(counts.blocks, 'block')}, ${counted(counts.entries, 'entry', 'entries')}, ${counts.erased} erased, ${logPhrase(log, markOfAll(open.connection.ports.pins.policy))}${asOf}`,
      completePhrase(complete),
      ...mirrorSummary(mirrored),
      ...(audited
        ? [
            `The home's stores: ${counted(audited.chains, 'chain')}, ${counted(audited.blocks, 'block')} audited`,
          ]
        : []),
      ...problems.map((problem) => `${shortId(problem.chain)}  ${screen.bad(problemLine(problem))}`),
      ...logLines(served, screen),
      ...(ok
        ? [
            audited
              ? 'Everything that is stored is what was signed.'
              : 'Everything that was verified is what was signed.',
          ]
        : []),
      ...(unchecked.length > 0 ? [`  Not checked: ${unchecked.join('; ')}.`] : []),
      ...(first ? [`  Next: ${nextFor(first)}`] : []),
    ],
  )
  return ok ? EXIT.ok : EXIT.verification
}

function countsOf(verified: readonly Verified[]) {
  const sum = (of: (result: Verified) => number) => verified.reduce((total, result) => total + of(result), 0)
  return {
    records: verified.length,
    blocks: sum(({ blocks }) => blocks),
    entries: sum(({ entries }) => entries),
    erased: sum(({ erased }) => erased),
    notGranted: sum(({ notGranted }) => notGranted),
  }
}

/** What was left out, and why. */
function uncheckedOf({
  settings,
  institution,
  notGranted,
  isPinned,
  unjudged,
  isAudited,
}: {
  readonly settings: Session['settings']
  readonly institution: string
  readonly notGranted: number
  readonly isPinned: boolean
  /** Records of which no receipt was judged. */
  readonly unjudged: number
  readonly isAudited: boolean
}): readonly string[] {
  const others = settings.institutions.filter((id) => id !== institution)
  return [
    ...(notGranted > 0
      ? [`the contents of ${counted(notGranted, 'entry', 'entries')} that ${institution} may not open`]
      : []),
    ...(others.length > 0 ? [`records that only ${others.join(' or ')} knows (--as ID)`] : []),
    ...(isPinned ? [] : ['the log and its receipts: this folder pins no keys of it']),
    ...(isPinned && unjudged > 0
      ? [`the receipts of ${counted(unjudged, 'record')}, because of what failed above`]
      : []),
    ...(isAudited
      ? []
      : [
          `the stores of the home: its server audits them for its operators, and ${institution} is none (capability control)`,
        ]),
  ]
}

function logLines(served: AllVerified['served'], screen: Screen): readonly string[] {
  if (!served) return []
  const { size, findings } = served
  return [
    `The home's log: ${counted(size, 'leaf', 'leaves')} rebuilt from what it serves`,
    ...findings.map((finding) => screen.bad(logFindingLine(finding))),
    ...adviceLines(findings, null),
    ...(findings.length > 0 ? [`  Next: npx ampere audit (${LOG_MANUAL})`] : []),
  ]
}

function nextFor({ chain, height }: Problem): string {
  return `npx ampere chain show ${shortId(chain)}${height === null ? '' : ` --block ${height}`}`
}
