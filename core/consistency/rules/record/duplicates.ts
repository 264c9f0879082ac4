// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { displayOf } from '../../read/codes.ts'
import type { Measurement } from '../../read/measurement.ts'
import { dayOf, type Moment } from '../../read/moment.ts'
import { unitOf } from '../../read/units.ts'
import {
  check,
  found,
  HOLDS,
  NOTHING,
  notAssessed,
  notCompared,
  type Group,
  type Hit,
  type Outcome,
  type Part,
  type Rule,
} from '../../rule.ts'
import { pairsOf, runsOf } from '../runs.ts'

/** A value with its time. */
interface Told {
  readonly reading: Reading
  readonly measurement: Measurement
  readonly at: Moment
}

function toldBy(reading: Reading): readonly Told[] {
  const { event, measurements } = reading
  return event ? measurements.map((measurement) => ({ reading, measurement, at: event.at })) : []
}

/** What else must agree: a reading at the other arm, by another method or device is another reading. */
const CIRCUMSTANCES = ['bodySite', 'method', 'device', 'specimen', 'performer']

function sameValueKey({ reading, measurement, at }: Told): string {
  const { source, resource } = reading.item
  const { loinc, value, unit, comparator, pointer } = measurement
  const level = pointer.startsWith('/component') ? 'part' : 'whole'
  const circumstances = CIRCUMSTANCES.map((element) =>
    resource[element] === undefined ? '' : JSON.stringify(resource[element]),
  )
  return `${source}/${loinc}/${at.text}/${comparator ?? ''}${value} ${unit}/${level}/${circumstances.join('/')}`
}

const withinInstitution: Rule = {
  id: 'R11',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'structural',
  rationale: 'One institution sent the same value twice under two ids',
  needs: 'no value with a time of day',
  checks: [
    {
      scope: 'resource',
      types: ['Observation'],
      judge: (reading) => {
        const { event, measurements } = reading
        const outcome = !event
          ? notAssessed('no time of measurement')
          : event.at.exact
            ? HOLDS
            : notAssessed('only a date, on which a value may recur')
        return measurements.map(() => outcome)
      },
    },
    check<Told>({
      scope: 'group',
      types: ['Observation'],
      parts: (reading) =>
        toldBy(reading).flatMap((value) => (value.at.exact ? [{ key: sameValueKey(value), value }] : [])),
      judge: ({ members }) => found(members.length < 2 ? [] : twice(members.map(({ value }) => value))),
    }),
  ],
}

function twice(told: readonly Told[]): readonly Hit[] {
  const ids = new Set(told.map(({ reading }) => reading.item.resource.id))
  const [first] = told
  if (ids.size < 2 || !first) return []
  return [
    {
      title: `The same ${nameOf(first)} was sent ${ids.size} times (${first.reading.item.source})`,
      explanation: 'Code, time, value and unit agree; the ids differ. It counts as one.',
      evidence: told.map(({ reading, measurement }) => cite(reading.item, measurement.pointer)),
    },
  ]
}

const acrossInstitutions: Rule = {
  id: 'R12',
  kahn: 'plausibility',
  severity: 'info',
  review: 'proposed',
  rationale: 'Two institutions tell of the same result',
  needs: 'no dated values of two institutions',
  checks: [
    {
      scope: 'resource',
      types: ['Observation'],
      judge: (reading) =>
        toldBy(reading).flatMap(({ at }) => (dayOf(at) === null ? notAssessed('no day of measurement') : [])),
    },
    check<Told>({
      scope: 'group',
      types: ['Observation'],
      parts: (reading) =>
        toldBy(reading).flatMap((value) =>
          dayOf(value.at) === null ? [] : [{ key: 'all', run: reading.item.source, value }],
        ),
      judge: ({ members }) =>
        members[0]?.run === members.at(-1)?.run ? NOTHING : { ...NOTHING, checked: members.length },
    }),
    check<Told>({ scope: 'group', types: ['Observation'], parts: placesOf, judge: sameEvent }),
  ],
}

const MINUTE = 60_000

/**
 * An instant is compared within its minute, because some systems drop the seconds. A date alone is compared with
 * what others state for that calendar day, as they wrote it.
 */
function placesOf(reading: Reading): readonly Part<Told>[] {
  return toldBy(reading).flatMap((value): Part<Told>[] => {
    const { at, measurement } = value
    const day = dayOf(at)
    if (day === null) return []
    const run = reading.item.source
    const onDay = { key: `on/${measurement.loinc}/${day}`, run, value }
    if (!at.exact) return [onDay]
    const minute = Math.floor(at.from / MINUTE)
    return [
      { key: `at/${measurement.loinc}/${minute}`, run, value },
      // Stands there as an anchor, so that a day without bare dates costs nothing.
      { ...onDay, isAnchor: true },
    ]
  })
}

function sameEvent(group: Group<Told>): Outcome {
  return group.anchors.length > 0 || group.members.some(({ value }) => !value.at.exact)
    ? sameDay(group)
    : sameMinute(group)
}

const SEVERAL = 'only a date, with several values that day'
/** More values of one analyte in one minute, or beside a bare date, are not told apart by their times. */
const MANY = 20

function sameMinute({ members }: Group<Told>): Outcome {
  if (members[0]?.run === members.at(-1)?.run) return NOTHING
  const runs = runsOf(members)
  if (runs.some(({ start, end }) => end - start > MANY))
    return notCompared(members.length, 'a stream of values')
  const ofEach = runs.map(({ start, end }) => members.slice(start, end).map(({ value }) => value))
  const pairs = pairsOf(ofEach).flatMap(([some, others]) => {
    const match = some
      .flatMap((a) => others.map((b) => [a, b] as const))
      .find(([a, b]) => isSameTime(a.at, b.at) && isSameValue(a, b))
    return match ? [match] : []
  })
  return found(pairs.map(([a, b]) => toldTwice(a, b)))
}

/** A date alone fits only where each institution states one value that day. */
function sameDay({ members, anchors }: Group<Told>): Outcome {
  if (members.length === 0) return NOTHING
  const involved = members.length + anchors.length
  if (involved > MANY) return notCompared(involved, SEVERAL)
  const all = [...members, ...anchors].map(({ value }) => value)
  const ofEach = Map.groupBy(all, ({ reading }) => reading.item.source)
  if (ofEach.size < 2) return NOTHING
  if ([...ofEach.values()].some((some) => some.length > 1)) return notCompared(involved, SEVERAL)
  const pairs = pairsOf(all).filter(([a, b]) => !(a.at.exact && b.at.exact) && isSameValue(a, b))
  return found(pairs.map(([a, b]) => (a.reading.key < b.reading.key ? toldTwice(a, b) : toldTwice(b, a))))
}

function toldTwice(a: Told, b: Told): Hit {
  return {
    title: `${nameOf(a)}: probably one result, told by ${a.reading.item.source} and ${b.reading.item.source}`,
    explanation:
      'Code and time agree, and so do the values after conversion and rounding. They are linked, not deleted.',
    evidence: [a, b].map(({ reading, measurement }) => cite(reading.item, measurement.pointer)),
  }
}

function isSameTime(a: Moment, b: Moment): boolean {
  const [first, second] = [a.from, b.from].map((ms) => Math.floor(ms / 1000))
  return first === second || (first ?? 0) % 60 === 0 || (second ?? 0) % 60 === 0
}

/** How far a conversion factor may differ between institutions. */
const FACTOR = 0.002

function isSameValue(a: Told, b: Told): boolean {
  const [x, y] = [a.measurement, b.measurement]
  if (x.comparator !== y.comparator) return false
  // In one unit, one value must be the rounding of the other; converted, each may have been rounded by itself.
  if (isOneUnit(x.unit, y.unit))
    return Math.abs(x.value - y.value) <= Math.max(halfStep(x.value), halfStep(y.value))
  if (typeof x.inUnit !== 'number' || typeof y.inUnit !== 'number' || x.value === 0 || y.value === 0)
    return false
  const steps =
    halfStep(x.value) * Math.abs(x.inUnit / x.value) + halfStep(y.value) * Math.abs(y.inUnit / y.value)
  return Math.abs(x.inUnit - y.inUnit) <= steps + FACTOR * Math.abs(x.inUnit)
}

function isOneUnit(a: string, b: string): boolean {
  if (a === b) return true
  const [x, y] = [unitOf(a), unitOf(b)]
  return x !== null && y !== null && x.kind === y.kind && x.factor === y.factor && x.offset === y.offset
}

/** Half a unit of the last decimal that is stated. */
function halfStep(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e')
  const decimals = digits.split('.')[1]?.length ?? 0
  return (0.5 + 1e-9) * 10 ** (Number(exponent) - decimals)
}

function nameOf({ reading, measurement }: Told): string {
  const code = measurement.pointer.startsWith('/component')
    ? (reading.item.resource['component'] as { code?: unknown }[])[Number(measurement.pointer.split('/')[2])]
        ?.code
    : reading.item.resource['code']
  return displayOf(code) || 'result'
}

export const DUPLICATE_RULES: readonly Rule[] = [withinInstitution, acrossInstitutions]
