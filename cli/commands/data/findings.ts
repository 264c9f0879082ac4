// SPDX-License-Identifier: Apache-2.0
import type { FiledFinding } from '#core/bridge/serve/projection.ts'
import type { Evidence } from '#core/consistency/evidence.ts'
import type { Severity } from '#core/consistency/rule.ts'
import { shortId, withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
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

/** Lists what does not fit in the records: about the data, never about treatment. */
export async function findings(call: Call<FindingsOptions>): Promise<number> {
  return withSession(call, async (session) => {
    const all: ListedFinding[] = []
    for (const { id, chain } of await session.open.records())
      all.push(...(await findingsOf(session, id, chain)))
    // Entered before anything is shown: whoever reads a record is on its access log.
    await session.open.access.flush()
    const limit = SEVERITIES.indexOf(call.options.severity ?? 'info')
    const items = byGravity(all).filter(({ severity }) => SEVERITIES.indexOf(severity) <= limit)
    call.screen.print({ ok: true, items }, [
      ...items.flatMap((item) => [...findingLines(item, call.screen.strong), '']),
      counted(items.length, 'finding') +
        (items.length === 0 ? ': everything that could be checked fits.' : ''),
    ])
    return EXIT.ok
  })
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

async function findingsOf({ open }: Session, patientId: string, chain: string): Promise<ListedFinding[]> {
  const { chain: known, projection } = await open.bridge.record(patientId)
  await open.access.record({
    chain: known,
    user: 'local',
    role: 'operator',
    purpose: 'HOPERAT',
    what: 'findings',
    resources: projection.findings.length,
  })
  return projection.findings.map((finding) => listedFinding(finding, chain))
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
