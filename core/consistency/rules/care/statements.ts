// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import type { Moment } from '../../read/moment.ts'
import { NOTHING, notAssessed, type Group, type Outcome, type Part } from '../../rule.ts'
import { pairsOf, runsOf, type Run } from '../runs.ts'

/** What one resource states about something that other institutions may state too. */
export interface Statement {
  readonly reading: Reading
  readonly state: string
  readonly at: Moment | null
  /** What it is about, and the elements that say so. */
  readonly name: string
  readonly naming: readonly Evidence[]
}

/** Puts a statement beside those of the same thing; an institution's own are in order of time. */
export function besideOthers(key: string, statement: Statement): Part<Statement> {
  const { reading, at } = statement
  return { key, run: reading.item.source, at: at?.from ?? Number.NEGATIVE_INFINITY, value: statement }
}

/** Counts what there is to compare, where at least two institutions state something of the kind. */
export function compared({ members }: Group<Statement>): Outcome {
  const isAlone = members[0]?.run === members.at(-1)?.run
  return isAlone ? NOTHING : { ...NOTHING, checked: members.length }
}

/** What each institution stated last, or why that cannot be told; an institution's older statements are superseded by it. */
export function latestOfEach({ members }: Group<Statement>): readonly Statement[] | Outcome {
  const runs = runsOf(members)
  if (runs.length < 2) return NOTHING
  const isUnclear = runs.some((run) => isUnordered(run, members))
  return isUnclear
    ? notAssessed('no dates that tell which statement is the latest')
    : runs.map((run) => run.last.value)
}

export function isOutcome(given: readonly Statement[] | Outcome): given is Outcome {
  return !Array.isArray(given)
}

/** The pairs of institutions of which one states the first and the other the second. */
export function opposed(
  statements: readonly Statement[],
  first: string,
  second: string,
): readonly (readonly [Statement, Statement])[] {
  return pairsOf(statements).flatMap(([a, b]): (readonly [Statement, Statement])[] => {
    if (a.state === first && b.state === second) return [[a, b]]
    return a.state === second && b.state === first ? [[b, a]] : []
  })
}

/** With an undated statement beside others, or two of one time, none is known to be the last, unless all say the same. */
function isUnordered(run: Run<Statement>, members: Group<Statement>['members']): boolean {
  const { first, last, start, end } = run
  if (end - start < 2) return false
  const isLastShared = members[end - 2]?.at === last.at
  if (first.at !== Number.NEGATIVE_INFINITY && !isLastShared) return false
  return members.slice(start, end).some(({ value }) => value.state !== last.value.state)
}
