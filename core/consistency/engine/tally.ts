// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../bytes/ids.ts'
import { findingsOf, type Finding } from '../finding.ts'
import type { Hit, Outcome, Rule } from '../rule.ts'

/** What a rule says of a whole record. */
export interface RuleReport {
  readonly rule: string
  /** `pass` only where the rule was really applied at least once. */
  readonly status: 'pass' | 'fail' | 'could-not-assess'
  /** How many values or resources it was applied to. */
  readonly checked: number
  /** Why it could not be applied to others, and to how many. */
  readonly notAssessed: readonly { readonly reason: string; readonly count: number }[]
  /** What was missing, where it could be applied to nothing. */
  readonly reason?: string
}

/** Counts of one rule. */
export interface Tally {
  readonly rule: Rule
  checked: number
  hits: number
  readonly reasons: Map<string, number>
}

/** Findings that stand, each with how many judgements made it. */
export interface Standing {
  readonly byId: Map<Digest, { readonly finding: Finding; count: number }>
  /** Findings of each hit, made once. */
  readonly made: WeakMap<Hit, readonly Finding[]>
  /** Ids that came or went since this was last emptied, and whether they stood before. */
  readonly touched: Map<Digest, boolean>
}

export function emptyStanding(): Standing {
  return { byId: new Map(), made: new WeakMap(), touched: new Map() }
}

/** Adds an outcome, or with -1 takes it away again. */
export function count(tally: Tally, standing: Standing, outcome: Outcome, by: 1 | -1): void {
  tally.checked += by * outcome.checked
  for (const reason of outcome.notAssessed) {
    const next = (tally.reasons.get(reason) ?? 0) + by
    if (next === 0) tally.reasons.delete(reason)
    else tally.reasons.set(reason, next)
  }
  for (const hit of outcome.hits) {
    tally.hits += by
    for (const finding of madeOf(tally.rule, standing, hit)) stand(standing, finding, by)
  }
}

export function reportOf({ rule, checked, hits, reasons }: Tally): RuleReport {
  const status = hits > 0 ? 'fail' : checked > 0 ? 'pass' : 'could-not-assess'
  const notAssessed = [...reasons]
    .map(([reason, times]) => ({ reason, count: times }))
    .toSorted((a, b) => (a.reason < b.reason ? -1 : 1))
  const counts = { rule: rule.id, status, checked, notAssessed } as const
  if (status !== 'could-not-assess') return counts
  return {
    ...counts,
    reason: notAssessed.length > 0 ? notAssessed.map(({ reason }) => reason).join('; ') : rule.needs,
  }
}

function madeOf(rule: Rule, standing: Standing, hit: Hit): readonly Finding[] {
  const before = standing.made.get(hit)
  if (before) return before
  const findings = findingsOf(rule, hit)
  standing.made.set(hit, findings)
  return findings
}

function stand({ byId, touched }: Standing, finding: Finding, by: 1 | -1): void {
  const before = byId.get(finding.id)
  const next = (before?.count ?? 0) + by
  if (!touched.has(finding.id)) touched.set(finding.id, before !== undefined)
  if (next === 0) byId.delete(finding.id)
  else if (before && by < 0) before.count = next
  // The newest one is kept: its evidence names the entries that hold the values now.
  else byId.set(finding.id, { finding, count: next })
}
