// SPDX-License-Identifier: Apache-2.0
import type { FiledFinding, Projection } from '#core/bridge/serve/projection.ts'
import type { Evidence } from '#core/consistency/evidence.ts'
import type { Severity } from '#core/consistency/rule.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { shortId, withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { OpenBridge } from '../../open/bridge.ts'
import type { Call } from '../../program/command.ts'
import { problemOfKnown, problemLine, type Problem } from '../../proof/problem.ts'
import { closedProblems } from '../../proof/verify-chain.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { counted, plain, wrapped } from '../../terminal/words.ts'

interface FindingsOptions extends ActingOptions {
  /** Only findings of this severity or graver. */
  readonly severity?: Severity
}

/** From the gravest on. */
export const SEVERITIES = ['safety', 'error', 'warn', 'info'] as const

/** A finding with the record that it is on. */
export interface ListedFinding {
  readonly chain: string
  readonly id: string
  readonly rule: string
  readonly severity: Severity
  readonly title: string
  readonly explanation: string
  readonly filedBy: string
  readonly sources: readonly string[]
  readonly evidence: readonly Evidence[]
}

/** What was found on a record, and what of it could not be read. */
interface RecordFindings {
  readonly items: readonly ListedFinding[]
  readonly problems: readonly Problem[]
}

/** Lists what does not fit in the records: about the data, never about treatment. */
export async function findings(call: Call<FindingsOptions>): Promise<number> {
  return withSession(call, async (session) => {
    const all: RecordFindings[] = []
    const records = await session.open.records()
    for (const { id, chain } of records) all.push(await findingsOf(session, id, chain))
    // Entered before anything is shown: whoever reads a record is on its access log.
    await session.open.access.flush()
    const limit = SEVERITIES.indexOf(call.options.severity ?? 'info')
    const items = byGravity(all.flatMap((one) => one.items)).filter(
      ({ severity }) => SEVERITIES.indexOf(severity) <= limit,
    )
    const problems = all.flatMap((one) => one.problems)
    const none = records.length === 0 ? `: ${session.open.institution.id} knows no record yet.` : ALL_FITS
    call.screen.print({ ok: problems.length === 0, items, problems }, [
      ...items.flatMap((item) => [...findingLines(item, call.screen.strong), '']),
      counted(items.length, 'finding') + (items.length === 0 ? none : ''),
      ...problemLines(problems, call.screen),
    ])
    return problems.length === 0 ? EXIT.ok : EXIT.verification
  })
}

const ALL_FITS = ': everything that could be checked fits.'

/** A damaged record hides no finding of the others, and nobody takes what is listed for all there is. */
function problemLines(problems: readonly Problem[], { bad }: Screen): string[] {
  if (problems.length === 0) return []
  return [
    'Not all could be read, so that findings may be missing:',
    ...problems.map((problem) => `${shortId(problem.chain)}  ${bad(problemLine(problem))}`),
    '  Next: npx ampere verify --all',
  ]
}

/** Gravest first. */
export function byGravity<T extends { readonly severity: Severity }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
}

/** What a filed finding says, for people and programs. */
export function listedFinding(finding: FiledFinding, chain: string): ListedFinding {
  const cited: unknown = finding['evidence']
  const evidence = Array.isArray(cited) ? cited.map(plainEvidence) : []
  return {
    chain,
    id: finding.id,
    rule: plain(finding['rule']),
    severity: SEVERITIES.find((known) => known === finding['severity']) ?? 'info',
    title: plain(finding['title']),
    explanation: plain(finding['explanation']),
    filedBy: finding.filedBy,
    sources: [...new Set(evidence.map(({ source }) => source))],
    evidence,
  }
}

/** Another institution's bridge may have written anything here. */
function plainEvidence(cited: unknown): Evidence {
  const given = (cited ?? {}) as Readonly<Record<string, unknown>>
  const text = (name: keyof Evidence) => plain(given[name])
  return {
    ref: text('ref'),
    source: text('source'),
    compartment: text('compartment'),
    type: text('type'),
    id: text('id'),
    pointer: text('pointer'),
    value: text('value'),
  }
}

async function findingsOf({ open }: Session, patientId: string, chain: ChainId): Promise<RecordFindings> {
  const projection = await openedOrProblem(open, patientId, chain)
  if ('rule' in projection) return { items: [], problems: [projection] }
  await open.access.record({
    chain,
    user: 'local',
    role: 'operator',
    purpose: 'HOPERAT',
    what: 'findings',
    resources: projection.findings.length,
  })
  const items = projection.findings.map((finding) => listedFinding(finding, chain))
  return { items, problems: closedProblems(chain, projection.closed) }
}

async function openedOrProblem(
  open: OpenBridge,
  patientId: string,
  chain: ChainId,
): Promise<Projection | Problem> {
  try {
    return (await open.bridge.record(patientId)).projection
  } catch (error) {
    const problem = problemOfKnown(error, chain)
    if (!problem) throw error
    return problem
  }
}

function findingLines(item: ListedFinding, strong: (text: string) => string): string[] {
  return [
    `${strong(item.severity.padEnd(6))}  ${item.rule.padEnd(5)}  ${item.title}`,
    ...wrapped(item.explanation, 70).map((line) => `  ${line}`),
    ...item.evidence.map(
      ({ source, type, id, pointer, value }) => `  ${source}  ${type}/${id}${pointer}  ${value}`,
    ),
    `  record ${shortId(item.chain)}, sources ${item.sources.join(', ')}, filed by ${item.filedBy}`,
  ]
}
