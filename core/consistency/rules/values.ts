// SPDX-License-Identifier: Apache-2.0
import type { Facts, Measurement } from '../facts.ts'
import type { Analyte, Knowledge } from '../knowledge.ts'
import { citeValue, over, type Rule, type RuleResult } from '../rule.ts'

/** Limits are for adults; below this age they do not apply. */
const ADULT_MS = 18 * 365.25 * 86_400_000
/** Unit slips that happen: the value belongs to `from`, the label says the analyte's unit. */
const SLIPS: readonly { readonly ucum: string; readonly from: string; readonly factor: number }[] = [
  { ucum: 'kg', from: 'pounds', factor: 0.45359237 },
  { ucum: 'cm', from: 'inches', factor: 2.54 },
  { ucum: 'cm', from: 'metres', factor: 100 },
  { ucum: 'Cel', from: 'degrees Fahrenheit', factor: Number.NaN },
]
/** How far from the own median a value must lie to be doubted, and how near it must come after the factor. */
const FAR = 1.6
const NEAR = 1.15

interface Checked {
  readonly measurement: Measurement
  readonly analyte: Analyte
}

/** Measurements of adults in the unit in which the analyte's limits are given. */
function comparable(facts: Facts, knowledge: Knowledge): Checked[] {
  return facts.measurements.flatMap((measurement) => {
    const analyte = knowledge.analytes.get(measurement.loinc)
    if (!analyte || measurement.unit !== analyte.ucum) return []
    if (facts.birth === null || measurement.at === null || measurement.at - facts.birth < ADULT_MS) return []
    return [{ measurement, analyte }]
  })
}

function outside(range: readonly [number, number] | null, value: number): boolean {
  return range !== null && (value < range[0] || value > range[1])
}

const hardRange: Rule = {
  id: 'R20',
  kahn: 'plausibility',
  severity: 'error',
  review: 'proposed',
  rationale: 'A value lies where no living person has it',
  apply: (facts, knowledge) =>
    over(
      comparable(facts, knowledge),
      'no value of an adult with known limits',
      ({ measurement, analyte }) => {
        if (!outside(analyte.hard, measurement.value)) return null
        return {
          title: `${analyte.name} ${measurement.value} ${measurement.unit} is not credible (${measurement.item.source})`,
          explanation: `Credible values lie between ${analyte.hard?.join(' and ')} ${analyte.ucum}. The number or its unit is probably wrong.`,
          evidence: [citeValue(measurement)],
        }
      },
    ),
}

const softRange: Rule = {
  id: 'R21',
  kahn: 'plausibility',
  severity: 'info',
  review: 'proposed',
  rationale: 'A value is unusual',
  apply: (facts, knowledge) =>
    over(
      comparable(facts, knowledge),
      'no value of an adult with known limits',
      ({ measurement, analyte }) => {
        if (outside(analyte.hard, measurement.value) || !outside(analyte.soft, measurement.value)) return null
        return {
          title: `${analyte.name} ${measurement.value} ${measurement.unit} is unusual (${measurement.item.source})`,
          explanation: `Most values lie between ${analyte.soft?.join(' and ')} ${analyte.ucum}. It may be right.`,
          evidence: [citeValue(measurement)],
        }
      },
    ),
}

const negative: Rule = {
  id: 'R22',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'A quantity that cannot be negative is',
  apply: (facts, knowledge) =>
    over(
      facts.measurements.filter(({ loinc }) => knowledge.analytes.has(loinc)),
      'no known analyte',
      (measurement) =>
        measurement.value >= 0
          ? null
          : {
              title: `Negative ${knowledge.analytes.get(measurement.loinc)?.name ?? 'value'} (${measurement.item.source})`,
              explanation: 'This quantity has no negative values.',
              evidence: [citeValue(measurement)],
            },
    ),
}

const missingUnit: Rule = {
  id: 'R24',
  kahn: 'conformance',
  severity: 'warn',
  review: 'structural',
  rationale: 'A measured value has no unit',
  apply: (facts, knowledge) =>
    over(
      facts.measurements.filter(({ loinc }) => knowledge.analytes.has(loinc)),
      'no known analyte',
      (measurement) =>
        measurement.unit !== ''
          ? null
          : {
              title: `${knowledge.analytes.get(measurement.loinc)?.name ?? 'Value'} without a unit (${measurement.item.source})`,
              explanation: 'Without its unit the number cannot be compared with others.',
              evidence: [citeValue(measurement)],
            },
    ),
}

const unitSwap: Rule = {
  id: 'R25',
  kahn: 'plausibility',
  severity: 'safety',
  review: 'proposed',
  rationale: 'A value fits the own history only in another unit than the one stated',
  apply: (facts, knowledge): RuleResult => {
    const candidates = comparable(facts, knowledge).flatMap((checked) => {
      const others = (facts.byLoinc.get(checked.measurement.loinc) ?? []).filter(
        (other) =>
          other !== checked.measurement &&
          other.unit === checked.measurement.unit &&
          other.at !== null &&
          facts.birth !== null &&
          other.at - facts.birth >= ADULT_MS,
      )
      return others.length >= 3 ? [{ ...checked, median: medianOf(others.map((other) => other.value)) }] : []
    })
    return over(
      candidates,
      'no adult analyte with at least three other values',
      ({ measurement, analyte, median }) => {
        if (ratio(measurement.value, median) < FAR) return null
        const slip = slipsFor(analyte).find(({ convert }) => ratio(convert(measurement.value), median) < NEAR)
        if (!slip) return null
        return {
          title: `${analyte.name} ${measurement.value} ${measurement.unit}: probably ${slip.from} (${measurement.item.source})`,
          explanation: `The other values lie around ${round(median)} ${analyte.ucum}. Read as ${slip.from} it would be ${round(slip.convert(measurement.value))} ${analyte.ucum}, which fits.`,
          evidence: [citeValue(measurement)],
        }
      },
    )
  },
}

function slipsFor(analyte: Analyte): { from: string; convert: (value: number) => number }[] {
  const fixed = SLIPS.filter(({ ucum }) => ucum === analyte.ucum).map(({ from, factor }) => ({
    from,
    convert: (value: number) => (Number.isNaN(factor) ? (value - 32) / 1.8 : value * factor),
  }))
  const { mgPerMmol } = analyte
  if (mgPerMmol === null || analyte.ucum !== 'mg/dL') return fixed
  return [...fixed, { from: 'mmol/L', convert: (value: number) => value * mgPerMmol }]
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

export const VALUE_RULES: readonly Rule[] = [hardRange, softRange, negative, missingUnit, unitSwap]
