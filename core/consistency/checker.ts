// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../bytes/ids.ts'
import { settle } from './engine/settle.ts'
import { addEntry, emptyState, joinGroups, removeEntry, type Entry, type State } from './engine/state.ts'
import { reportOf, type RuleReport } from './engine/tally.ts'
import type { RecordItem } from './facts.ts'
import type { Finding } from './finding.ts'
import type { Knowledge } from './knowledge.ts'
import type { Rule, Severity } from './rule.ts'
import { RULES } from './rules/all.ts'
import { situationOf } from './situation.ts'

/** What a check of a record found. */
export interface CheckReport {
  /** All that stand, the gravest first. */
  readonly findings: readonly Finding[]
  readonly results: readonly RuleReport[]
  /** Resources that no rule judged, and why. */
  readonly excluded: readonly { readonly reason: string; readonly count: number }[]
  /** Whether part of the record was sealed from whoever checked it. */
  readonly isPartial: boolean
}

/** News of a record. */
export interface Change {
  /** Resources that are new, or that take the place of the item with the same `ref`. */
  readonly put?: readonly RecordItem[]
  /** `ref` of items that are no longer current: replaced by another version, deleted or erased. Unknown ones are ignored. */
  readonly drop?: readonly string[]
  /** ms since 1970 against which "in the future" is judged. */
  readonly nowMs: number
  /** True when part of the record is sealed from whoever checks it. Default false. */
  readonly isPartial?: boolean
}

/** Which findings came and which no longer stand. */
export interface Delta {
  readonly came: readonly Finding[]
  readonly went: readonly Digest[]
}

/**
 * Checks one record again and again, each time only what the news touch. After any sequence of batches the report
 * equals that of a whole check of what is then current.
 */
export interface Checker {
  update(change: Change): Delta
  /** Takes all current resources and finds out itself what is new; costs a look-up per resource. */
  sync(items: readonly RecordItem[], nowMs: number, isPartial?: boolean): Delta
  report(): CheckReport
}

const ORDER: Readonly<Record<Severity, number>> = { safety: 0, error: 1, warn: 2, info: 3 }

/** Makes a checker of an empty record. `rules` other than the shipped ones are for tests. */
export function createChecker(knowledge: Knowledge, rules: readonly Rule[] = RULES): Checker {
  const state = emptyState(knowledge, rules, situationOf([], Number.NEGATIVE_INFINITY, false))
  return {
    update: (change) => update(state, change),
    sync: (items, nowMs, isPartial = false) =>
      update(state, { ...differences(state, items), nowMs, isPartial }),
    report: () => reportAll(state),
  }
}

function update(state: State, { put = [], drop = [], nowMs, isPartial = false }: Change): Delta {
  const { standing, entries } = state
  standing.touched.clear()
  const again = new Set<Entry>()
  for (const ref of [...drop, ...put.map((item) => item.ref)]) {
    const entry = entries.get(ref)
    if (entry) removeEntry(state, entry, again)
  }
  for (const item of put) {
    const twice = entries.get(item.ref)
    if (twice) removeEntry(state, twice, again)
    addEntry(state, item, again)
  }
  // In the order that groups keep, so that sorting them finds little to do.
  for (const entry of [...again].toSorted(byKey)) joinGroups(state, entry)
  settle(state, again, nowMs, isPartial)
  const moved = [...standing.touched]
  return {
    came: moved.flatMap(([id, stood]) => (stood ? [] : (standing.byId.get(id)?.finding ?? []))),
    went: moved.flatMap(([id, stood]) => (stood && !standing.byId.has(id) ? [id] : [])),
  }
}

function byKey(a: Entry, b: Entry): number {
  return compare(a.reading.key, b.reading.key)
}

function differences({ entries }: State, items: readonly RecordItem[]): Pick<Change, 'put' | 'drop'> {
  const put = items.filter((item) => !isSame(entries.get(item.ref)?.reading.item, item))
  const current = new Set(items.map((item) => item.ref))
  return { put, drop: [...entries.keys()].filter((ref) => !current.has(ref)) }
}

function isSame(a: RecordItem | undefined, b: RecordItem): boolean {
  return (
    a !== undefined &&
    a.resource === b.resource &&
    a.source === b.source &&
    a.compartment === b.compartment &&
    (a.fullUrl ?? null) === (b.fullUrl ?? null)
  )
}

function reportAll({ standing, plan, excluded, situation }: State): CheckReport {
  const findings = [...standing.byId.values()].map(({ finding }) => finding)
  return {
    findings: findings.toSorted(
      (a, b) => ORDER[a.severity] - ORDER[b.severity] || compare(a.rule, b.rule) || compare(a.id, b.id),
    ),
    results: plan.tallies.map(reportOf),
    excluded: [...excluded]
      .map(([reason, count]) => ({ reason, count }))
      .toSorted((a, b) => compare(a.reason, b.reason)),
    isPartial: situation.partial,
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
