// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import type { Analyte } from '../../knowledge.ts'
import { isAdult, valueInUnit, whyNotAdult } from '../../read/comparable.ts'
import { inUnitOf, type Measurement } from '../../read/measurement.ts'
import { unitOf } from '../../read/units.ts'
import {
  breaks,
  check,
  HOLDS,
  notAssessed,
  type Group,
  type Outcome,
  type Part,
  type Rule,
} from '../../rule.ts'
import type { Situation } from '../../situation.ts'

/** Values before and after a value to which it is compared: a slow change over years is none. */
const NEIGHBOURS = 4
const FEWEST = 3
/** How many times more or less than its neighbours a value must be to be doubted, and how near another unit must bring it. */
const FAR = 1.6
const NEAR = 1.15
/** A ratio means nothing on a scale whose zero is arbitrary; there degrees count. */
const FAR_DEGREES = 10
const NEAR_DEGREES = 2
/** A factor that illness does not reach by itself. */
const LARGE_FACTOR = 10
/** What changes slowly: here a small factor tells as well. Any other value must also be unusual. */
const STEADY: ReadonlySet<string> = new Set(['weight', 'height', 'temperature'])

const WORDS: Readonly<Record<string, string>> = {
  '[lb_av]': 'pounds',
  kg: 'kilograms',
  '[in_i]': 'inches',
  cm: 'centimetres',
  m: 'metres',
  '[degF]': 'degrees Fahrenheit',
  Cel: 'degrees Celsius',
  '1': 'a fraction of one',
}

interface Measured {
  readonly reading: Reading
  readonly measurement: Measurement
  readonly analyte: Analyte
  readonly value: number
}

function partsOf(reading: Reading): readonly Part<Measured>[] {
  const { event, item } = reading
  if (!event) return []
  return reading.measurements.flatMap((measurement): Part<Measured>[] => {
    const { analyte, loinc } = measurement
    const value = valueInUnit(measurement)
    if (!analyte || typeof value !== 'number') return []
    // Only within a compartment: the explanation tells what the other values are.
    return [
      {
        key: `${item.compartment}/${loinc}`,
        at: event.at.from,
        value: { reading, measurement, analyte, value },
      },
    ]
  })
}

function judge({ members }: Group<Measured>, index: number, situation: Situation): Outcome {
  const given = members[index]?.value
  if (!given) return HOLDS
  const reason = whyNotAdult(given.reading.event, situation)
  if (reason !== null) return notAssessed(reason)
  const others = members
    .slice(Math.max(0, index - NEIGHBOURS), index + NEIGHBOURS + 1)
    .filter(({ value }) => value !== given && isOfAdult(value, situation))
    .map(({ value }) => value.value)
  if (others.length < FEWEST) return notAssessed('fewer than three other values of the analyte')
  const median = medianOf(others)
  const slip = isFar(given.analyte, given.value, median) ? slipOf(given, median) : null
  if (!slip) return HOLDS
  const { measurement, analyte, reading } = given
  return breaks({
    title: `${analyte.name} ${measurement.value} ${measurement.unit}: probably ${slip.words} (${reading.item.source})`,
    explanation: `The values around it lie near ${round(median)} ${analyte.ucum}. Read as ${slip.words} it would be ${round(slip.value)} ${analyte.ucum}, which fits.`,
    evidence: [cite(reading.item, measurement.pointer)],
  })
}

function isOfAdult({ reading }: Measured, { lastBirth }: Situation): boolean {
  return reading.event !== null && lastBirth !== null && isAdult(reading.event.at, lastBirth.at)
}

/** The other unit that brings a value nearest to its neighbours, if one does. */
function slipOf(given: Measured, median: number): { readonly words: string; readonly value: number } | null {
  const { analyte, measurement, value } = given
  const stated = unitOf(measurement.unit)
  const candidates = [analyte.ucum, ...analyte.also].flatMap((ucum) => {
    const converted = inUnitOf(analyte, measurement.value, ucum)
    if (typeof converted !== 'number' || unitOf(ucum)?.factor === stated?.factor) return []
    return isNear(analyte, converted, median) && isTelling(analyte, value, converted)
      ? [{ words: WORDS[ucum] ?? ucum, value: converted }]
      : []
  })
  const [best] = candidates.toSorted((a, b) => Math.abs(a.value - median) - Math.abs(b.value - median))
  return best ?? null
}

function isTelling({ name, soft }: Analyte, value: number, converted: number): boolean {
  const isUnusual = soft !== null && (value < soft[0] || value > soft[1])
  return STEADY.has(name) || isUnusual || ratio(value, converted) >= LARGE_FACTOR
}

function isFar({ name }: Analyte, value: number, median: number): boolean {
  return name === 'temperature' ? Math.abs(value - median) >= FAR_DEGREES : ratio(value, median) >= FAR
}

function isNear({ name }: Analyte, value: number, median: number): boolean {
  return name === 'temperature' ? Math.abs(value - median) <= NEAR_DEGREES : ratio(value, median) <= NEAR
}

function ratio(a: number, b: number): number {
  return a > 0 && b > 0 ? Math.max(a / b, b / a) : Number.POSITIVE_INFINITY
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10)
}

const unitSwap: Rule = {
  id: 'R25',
  kahn: 'plausibility',
  severity: 'safety',
  review: 'proposed',
  rationale: 'A value fits the own history only in another unit than the one stated',
  needs: 'no analyte of an adult with at least three other values',
  checks: [
    {
      scope: 'resource',
      types: ['Observation'],
      judge: (reading) =>
        reading.measurements.flatMap((measurement) => {
          const value = valueInUnit(measurement)
          if (!measurement.analyte) return []
          if (typeof value === 'string') return [notAssessed(value)]
          return reading.event ? [] : [notAssessed('no time of measurement')]
        }),
    },
    check<Measured>({
      scope: 'member',
      reach: NEIGHBOURS,
      anchors: 'presence',
      types: ['Observation'],
      reads: ['birth'],
      parts: partsOf,
      judge,
    }),
  ],
}

export const SLIP_RULES: readonly Rule[] = [unitSwap]
