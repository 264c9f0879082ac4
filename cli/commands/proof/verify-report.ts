// SPDX-License-Identifier: Apache-2.0
import type { Timestamp } from '#core/bytes/timestamp.ts'
import { logCounts, logPhrase } from '#core/client/export/log-counts.ts'
import type { AuditReport } from '#core/server/audit/report.ts'
import { shortId, type Session } from '../../deployment/session.ts'
import { logFindingLine } from '../../proof/audit-log.ts'
import { completeCounts, completeLines } from '../../proof/completeness.ts'
import { adviceLines, LOG_MANUAL } from '../../proof/log-advice.ts'
import { mirrorSummary } from '../../proof/mirrored.ts'
import { problemLine, withoutRepeats, type Problem } from '../../proof/problem.ts'
import { type Verified } from '../../proof/verify-chain.ts'
import type { verifyHomeLog } from '../../proof/verify-log.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'
import { markOfAll } from '../../witness/same-machine.ts'

export interface AllVerified {
  readonly verified: readonly Verified[]
  readonly audited: AuditReport | null
  readonly served: Awaited<ReturnType<typeof verifyHomeLog>>
}

/** Says what was verified, found and left out. @returns the exit code */
export function reportAll(
  screen: Screen,
  { open, settings }: Session,
  { verified, audited, served }: AllVerified,
): number {
  const problems = withoutRepeats(problemsIn(verified, audited))
  const [first] = problems
  const institution = open.institution.id
  const counts = countsOf(verified)
  const log = logCounts(verified.map((result) => result.log))
  const complete = completeCounts(verified.map((result) => result.complete))
  const mirrors = verified.flatMap(({ chain, mirrors: words }) => words.map((word) => ({ chain, ...word })))
  const registryAsOf = open.connection.sync.registry.link()?.place.time ?? null
  const ok = problems.length + (served?.findings.length ?? 0) === 0
  const unchecked = uncheckedOf({
    settings,
    notGranted: counts.notGranted,
    isAudited: audited !== null,
    isServed: served !== null,
    institution,
    isPinned: open.connection.ports.pins.policy !== null,
    unjudged: verified.filter((result) => result.log === null).length,
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
      `As ${institution}: ${totalsOf(counts)}, ${logPhrase(log, markOfAll(open.connection.ports.pins.policy))}${asOfPhrase(registryAsOf)}`,
      ...completeLines(complete),
      ...mirrorSummary(verified.map(({ blocks: of, mirrors: words }) => ({ height: of - 1, words }))),
      ...storesLine(audited),
      ...problems.map((problem) => `${shortId(problem.chain)}  ${screen.bad(problemLine(problem))}`),
      ...logLines(served, screen),
      ...(ok ? [verifiedLine(audited, served)] : []),
      ...(unchecked.length > 0 ? [`  Not checked: ${unchecked.join('; ')}.`] : []),
      ...(first ? [`  Next: ${nextFor(first)}`] : []),
    ],
  )
  return ok ? EXIT.ok : EXIT.verification
}

/** No more than was looked at: of the home's log, what everybody can read, and not the rows behind it. */
function verifiedLine(audited: AllVerified['audited'], served: AllVerified['served']): string {
  if (!audited) return 'Everything that was verified is what was signed.'
  const log = served ? ', and its log as it is served' : ''
  return `What was verified is what was signed: the records, the chains that the home stores${log}.`
}

function problemsIn(verified: readonly Verified[], audited: AuditReport | null): readonly Problem[] {
  return [...verified.flatMap(({ problems }) => problems), ...(audited?.findings ?? [])]
}

function asOfPhrase(registryAsOf: Timestamp | null): string {
  return registryAsOf === null ? '' : `, registry as of ${localTime(registryAsOf)}`
}

function totalsOf({ records, blocks, entries, erased }: ReturnType<typeof countsOf>): string {
  return `${counted(records, 'record')}, ${counted(blocks, 'block')}, ${counted(entries, 'entry', 'entries')}, ${erased} erased`
}

function storesLine(audited: AuditReport | null): readonly string[] {
  if (!audited) return []
  const { chains, blocks } = audited
  return [`The home's stores: ${counted(chains, 'chain')}, ${counted(blocks, 'block')} audited`]
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
  isServed,
}: {
  readonly settings: Session['settings']
  readonly institution: string
  readonly notGranted: number
  readonly isPinned: boolean
  /** Records of which no receipt was judged. */
  readonly unjudged: number
  readonly isAudited: boolean
  /** The log was rebuilt from what everybody can read of it. */
  readonly isServed: boolean
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
    ...(isServed ? ['the rows from which the home goes on with its log (npx ampere audit)'] : []),
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
