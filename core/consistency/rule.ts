// SPDX-License-Identifier: Apache-2.0
import type { Reading } from './facts.ts'
import type { Knowledge } from './knowledge.ts'
import type { Evidence } from './evidence.ts'
import type { Facet, Situation } from './situation.ts'

export type Severity = 'info' | 'warn' | 'error' | 'safety'

/** What one application of a rule found, in words that a clinician reads. */
export interface Hit {
  readonly title: string
  readonly explanation: string
  readonly evidence: readonly Evidence[]
}

/** What came of one judgement. */
export interface Outcome {
  /** How many values or resources the rule could be applied to. */
  readonly checked: number
  /** Why it could not be applied to others, one reason for each. */
  readonly notAssessed: readonly string[]
  readonly hits: readonly Hit[]
}

const NO_REASONS: readonly string[] = []
const NO_HITS: readonly Hit[] = []
/** The rule was applied and holds. */
export const HOLDS: Outcome = { checked: 1, notAssessed: NO_REASONS, hits: NO_HITS }
/** The rule has nothing to say. */
export const NOTHING: Outcome = { checked: 0, notAssessed: NO_REASONS, hits: NO_HITS }

const remembered = new Map<string, Outcome>()

/** The rule could not be applied for want of what `reason` names. Reasons are few and fixed. */
export function notAssessed(reason: string): Outcome {
  const before = remembered.get(reason)
  if (before) return before
  const outcome: Outcome = { checked: 0, notAssessed: [reason], hits: NO_HITS }
  remembered.set(reason, outcome)
  return outcome
}

/** The rule was applied and does not hold. */
export function breaks(...hits: readonly Hit[]): Outcome {
  return { checked: 1, notAssessed: NO_REASONS, hits }
}

/** Hits of a judgement whose subjects are counted by another check of the same rule. */
export function found(hits: readonly Hit[]): Outcome {
  return hits.length === 0 ? NOTHING : { checked: 0, notAssessed: NO_REASONS, hits }
}

/** How a check finds other things than the resource it reads. */
export interface Lookup {
  readonly knowledge: Knowledge
  /** The Medication that a reference of a resource leads to, contained or in the record; null when there is none. */
  readonly medication: (from: Reading, reference: string) => Reading | null
}

/** Takes back that values were counted as compared: they could not be, because of what `reason` names. */
export function notCompared(values: number, reason: string): Outcome {
  return { checked: -values, notAssessed: [reason], hits: NO_HITS }
}

/** What a resource puts into a group. Values of one group are in order of `run`, then `at`, then the resource's key. */
export interface Part<T> {
  /** Name of the group: only what shares a key is ever compared. */
  readonly key: string
  readonly run?: string
  /** ms since 1970; -Infinity where no time is stated. */
  readonly at?: number
  /** Anchors are what members are judged against. */
  readonly isAnchor?: boolean
  readonly value: T
}

export interface Placed<T> {
  readonly value: T
  readonly run: string
  readonly at: number
}

/** A group of values that share a key, in order. */
export interface Group<T> {
  readonly key: string
  readonly members: readonly Placed<T>[]
  readonly anchors: readonly Placed<T>[]
}

interface CheckBase {
  /** Resource types that it reads; null for all. */
  readonly types: readonly string[] | null
  readonly reads?: readonly Facet[]
}

interface GroupingCheck<T> extends CheckBase {
  /** True when it also puts resources into groups that no rule may judge. */
  readonly readsExcluded?: boolean
  parts(reading: Reading, lookup: Lookup): readonly Part<T>[]
}

/** Judges each resource by itself. */
export interface ResourceCheck extends CheckBase {
  readonly scope: 'resource'
  judge(reading: Reading, situation: Situation, lookup: Lookup): readonly Outcome[]
}

/** Judges a group as a whole, again after each change of it: groups must be small, or the judgement must not look at all of it. */
export interface GroupCheck<T> extends GroupingCheck<T> {
  readonly scope: 'group'
  judge(group: Group<T>, situation: Situation): Outcome
}

/** Judges each member of a group by its `reach` neighbours on either side and the anchors. */
export interface MemberCheck<T> extends GroupingCheck<T> {
  readonly scope: 'member'
  readonly reach: number
  /** `presence` when only it matters whether there are anchors. */
  readonly anchors: 'presence' | 'content'
  judge(group: Group<T>, index: number, situation: Situation): Outcome
}

export type Check = ResourceCheck | GroupCheck<unknown> | MemberCheck<unknown>

/** Forgets the type of a check's values; the engine only carries them from `parts` to `judge`. */
export function check<T>(given: GroupCheck<T> | MemberCheck<T>): Check {
  return given
}

/** One rule about data quality. None gives treatment advice. */
export interface Rule {
  readonly id: string
  /** Category of Kahn et al. 2016. */
  readonly kahn: 'conformance' | 'completeness' | 'plausibility'
  readonly severity: Severity
  readonly rationale: string
  /** Limits and thresholds are proposals until a clinician has reviewed them. */
  readonly review: 'proposed' | 'structural'
  /** What is missing where the rule found nothing that it could be applied to. */
  readonly needs: string
  readonly checks: readonly Check[]
}
