// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { valueInUnit } from '../../read/comparable.ts'
import type { Measurement } from '../../read/measurement.ts'
import {
  breaks,
  check,
  HOLDS,
  NOTHING,
  notAssessed,
  type Outcome,
  type Part,
  type Placed,
  type Rule,
} from '../../rule.ts'

interface Relation {
  readonly id: string
  readonly severity: Rule['severity']
  readonly rationale: string
  /** LOINC codes of each operand, in the order in which `holds` takes them; all of one operand have one unit. */
  readonly operands: readonly (readonly string[])[]
  readonly holds: (...values: number[]) => boolean
  readonly title: (...values: string[]) => string
}

const RELATIONS: readonly Relation[] = [
  {
    id: 'R40',
    operands: [['39156-5'], ['29463-7'], ['8302-2']],
    severity: 'warn',
    rationale: 'Body mass index follows from weight and height',
    holds: (bmi = 0, kg = 0, cm = 0) => Math.abs(bmi - kg / (cm / 100) ** 2) <= Math.max(1, bmi * 0.03),
    title: (bmi, kg, cm) => `BMI ${bmi} does not follow from ${kg} and ${cm}`,
  },
  {
    id: 'R41',
    operands: [['8462-4'], ['8480-6']],
    severity: 'error',
    rationale: 'Diastolic pressure is below systolic pressure',
    holds: (diastolic = 0, systolic = 0) => diastolic < systolic,
    title: (diastolic, systolic) => `Diastolic ${diastolic} is not below systolic ${systolic}`,
  },
  {
    id: 'R43',
    operands: [['2093-3'], ['2085-9'], ['18262-6', '13457-7']],
    severity: 'error',
    rationale: 'Total cholesterol is not below its parts',
    // Direct assays of the parts differ by several percent from the sum.
    holds: (total = 0, hdl = 0, ldl = 0) => total * 1.1 >= hdl + ldl,
    title: (total, hdl, ldl) => `Cholesterol ${total} is below HDL ${hdl} and LDL ${ldl} together`,
  },
  {
    id: 'R44',
    operands: [['4544-3'], ['718-7']],
    severity: 'warn',
    rationale: 'Hematocrit is about three times hemoglobin',
    holds: (hematocrit = 0, hemoglobin = 0) => Math.abs(hematocrit - 3 * hemoglobin) <= 15,
    title: (hematocrit, hemoglobin) => `Hematocrit ${hematocrit} does not fit hemoglobin ${hemoglobin}`,
  },
  {
    id: 'R48',
    operands: [['1751-7'], ['2885-2']],
    severity: 'error',
    rationale: 'Albumin is a part of total protein',
    holds: (albumin = 0, protein = 0) => albumin < protein,
    title: (albumin, protein) => `Albumin ${albumin} is not below total protein ${protein}`,
  },
  {
    id: 'R49',
    operands: [['1968-7'], ['1975-2']],
    severity: 'error',
    rationale: 'Direct bilirubin is a part of total bilirubin',
    // Near zero the two assays differ by a tenth.
    holds: (direct = 0, total = 0) => direct <= total + 0.1 + 1e-9,
    title: (direct, total) => `Direct bilirubin ${direct} is above total ${total}`,
  },
]

interface Operand {
  readonly reading: Reading
  readonly measurement: Measurement
  /** Which operand of the relation it is. */
  readonly place: number
  readonly value: number | string
}

/**
 * Values belong together when one resource holds them all, or when one institution states them for the same
 * instant; a date alone may cover several samples.
 */
function partsOf(reading: Reading, { operands }: Relation): readonly Part<Operand>[] {
  const { item, event, measurements } = reading
  const found = measurements.flatMap((measurement): Operand[] => {
    const place = operands.findIndex((codes) => codes.includes(measurement.loinc))
    return place < 0 ? [] : [{ reading, measurement, place, value: valueInUnit(measurement) }]
  })
  if (found.length === 0) return found as never[]
  const isWhole = operands.every((_, place) => found.some((operand) => operand.place === place))
  if (isWhole) return found.map((value) => ({ key: `in/${reading.key}`, at: value.place, value }))
  if (!event) return []
  const key = event.at.exact ? `at/${item.source}/${event.at.from}` : `on/${item.source}/${event.at.text}`
  return found.map((value) => ({ key, at: value.place, value }))
}

function judge(relation: Relation, members: readonly Placed<Operand>[]): Outcome {
  const places = relation.operands.map((_, place) => members.filter(({ value }) => value.place === place))
  if (places.some((operands) => operands.length === 0)) return NOTHING
  const operands = places.flatMap((some) => some[0]?.value ?? [])
  const [first] = operands
  if (!first?.reading.event?.at.exact && operands.some(({ reading }) => reading !== first?.reading))
    return notAssessed('only a date, which may cover several samples')
  const gap = operands.map(({ value }) => value).find((value) => typeof value === 'string')
  if (gap !== undefined) return notAssessed(gap)
  if (places.some((some) => new Set(some.map(({ value }) => value.value)).size > 1))
    return notAssessed('several values of one analyte at the same time')
  const values = operands.map(({ value }) => Number(value))
  if (relation.holds(...values)) return HOLDS
  const words = operands.map(({ measurement }) => `${measurement.value} ${measurement.unit}`)
  return breaks({
    title: `${relation.title(...words)} (${first?.reading.item.source ?? ''})`,
    explanation: `${relation.rationale}. One of the values, or its unit, is probably wrong.`,
    evidence: operands.map(({ reading, measurement }) => cite(reading.item, measurement.pointer)),
  })
}

function ruleOf(relation: Relation): Rule {
  return {
    id: relation.id,
    kahn: 'plausibility',
    severity: relation.severity,
    review: 'proposed',
    rationale: relation.rationale,
    needs: 'the values are not there together',
    checks: [
      check<Operand>({
        scope: 'group',
        types: ['Observation'],
        parts: (reading) => partsOf(reading, relation),
        judge: ({ members }) => judge(relation, members),
      }),
    ],
  }
}

export const COMPUTED_RULES: readonly Rule[] = RELATIONS.map(ruleOf)
