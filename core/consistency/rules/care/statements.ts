// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import type { Moment } from '../../read/moment.ts'
import {
  check,
  NOTHING,
  notAssessed,
  notCompared,
  type Check,
  type Group,
  type Lookup,
  type Outcome,
  type Part,
} from '../../rule.ts'
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

/** A statement and the names of what it may be about. */
export interface Keyed {
  readonly statement: Statement
  readonly keys: readonly string[]
}

function partsOf(given: Keyed | null, nameOf: (key: string) => string): readonly Part<Statement>[] {
  return given ? given.keys.map((key) => besideOthers(nameOf(key), given.statement)) : []
}

/**
 * The checks of a rule that compares what institutions stated last; their older statements are superseded. One tells
 * what has no code. One counts what there is to compare, where at least two institutions state something of the kind.
 * One compares, and takes back from the count what it could not.
 */
export function comparing(
  types: readonly string[],
  keyed: (reading: Reading, lookup: Lookup) => Keyed | null,
  judge: (latest: readonly Statement[]) => Outcome,
): readonly Check[] {
  return [
    {
      scope: 'resource',
      types,
      judge: (reading, _situation, lookup) =>
        keyed(reading, lookup)?.keys.length === 0 ? [notAssessed('no code with its system')] : [],
    },
    check<Statement>({
      scope: 'group',
      types,
      parts: (reading, lookup) => partsOf(keyed(reading, lookup), () => 'all'),
      judge: compared,
    }),
    check<Statement>({
      scope: 'group',
      types,
      parts: (reading, lookup) => partsOf(keyed(reading, lookup), (key) => key),
      judge: ({ members }) => {
        const runs = runsOf(members)
        if (runs.length < 2) return NOTHING
        if (runs.some((run) => isUnordered(run, members)))
          return notCompared(members.length, 'no dates that tell which statement is the latest')
        const outcome = judge(runs.map((run) => run.last.value))
        return { ...outcome, checked: Math.max(outcome.checked, -members.length) }
      },
    }),
  ]
}

/** Counts what there is to compare, where at least two institutions state something of the kind. */
export function compared({ members }: Group<Statement>): Outcome {
  const isAlone = members[0]?.run === members.at(-1)?.run
  return isAlone ? NOTHING : { ...NOTHING, checked: members.length }
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
