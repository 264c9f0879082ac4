// SPDX-License-Identifier: Apache-2.0
import type { Event } from './event.ts'
import { isBefore, type Moment } from './moment.ts'
import type { Measurement, UnitGap } from './measurement.ts'
import type { Situation } from '../situation.ts'

const GAPS: Readonly<Record<UnitGap, string>> = {
  missing: 'no unit',
  unknown: 'unit unknown',
  'of another kind': 'a unit that does not fit the analyte',
  'without a molar mass': 'no molar mass by which to convert the unit',
}

/** Limits are for adults. 18 years of 366 days: nobody younger passes as an adult. */
const ADULT_MS = 18 * 366 * 86_400_000

/** A value in its analyte's unit, or the reason why there is none. */
export function valueInUnit({ inUnit, comparator }: Measurement): number | string {
  if (comparator !== null) return 'only a bound is stated, not a value'
  if (typeof inUnit === 'number') return inUnit
  return inUnit === null ? 'an analyte without limits' : GAPS[inUnit]
}

/** Why adult limits do not apply at a time, or null when they do. */
export function whyNotAdult(event: Event | null, { birth, lastBirth }: Situation): string | null {
  if (!birth || !lastBirth) return 'no birth date'
  if (!event) return 'no time of measurement'
  if (isAdult(event.at, lastBirth.at)) return null
  return 'limits are for adults, and the patient was younger'
}

export function isAdult(at: Moment, birth: Moment): boolean {
  return isBefore(birth, at, ADULT_MS)
}
