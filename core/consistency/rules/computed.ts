// SPDX-License-Identifier: Apache-2.0
import { groupBy, type Facts, type Measurement } from '../facts.ts'
import { citeValue, over, type Hit, type Rule } from '../rule.ts'

/** Values taken together: same institution, same encounter or else same time. */
function together(facts: Facts, loincs: readonly string[]): Measurement[][] {
  const wanted = facts.measurements.filter(({ loinc, at }) => loincs.includes(loinc) && at !== null)
  const groups = groupBy(
    wanted,
    ({ item, encounter, at }) => `${item.source}/${encounter ?? ''}/${String(at)}`,
  )
  return [...groups.values()].flatMap((group) => {
    const first = loincs.map((loinc) => group.find((measurement) => measurement.loinc === loinc))
    return first.every((measurement) => measurement !== undefined)
      ? [first.filter((m) => m !== undefined)]
      : []
  })
}

interface Relation {
  readonly id: string
  readonly loincs: readonly string[]
  /** Every value must be in this unit, in the order of `loincs`. */
  readonly units: readonly string[]
  readonly severity: Rule['severity']
  readonly rationale: string
  readonly holds: (...values: number[]) => boolean
  readonly title: (...values: number[]) => string
}

const RELATIONS: readonly Relation[] = [
  {
    id: 'R40',
    loincs: ['39156-5', '29463-7', '8302-2'],
    units: ['kg/m2', 'kg', 'cm'],
    severity: 'warn',
    rationale: 'Body mass index follows from weight and height',
    holds: (bmi = 0, kg = 0, cm = 0) => Math.abs(bmi - kg / (cm / 100) ** 2) <= Math.max(1, bmi * 0.03),
    title: (bmi = 0, kg = 0, cm = 0) =>
      `BMI ${one(bmi)} does not follow from ${one(kg)} kg and ${one(cm)} cm`,
  },
  {
    id: 'R41',
    loincs: ['8462-4', '8480-6'],
    units: ['mm[Hg]', 'mm[Hg]'],
    severity: 'error',
    rationale: 'Diastolic pressure is below systolic pressure',
    holds: (diastolic = 0, systolic = 0) => diastolic < systolic,
    title: (diastolic = 0, systolic = 0) =>
      `Diastolic ${one(diastolic)} is not below systolic ${one(systolic)}`,
  },
  {
    id: 'R43',
    loincs: ['2093-3', '2085-9', '18262-6'],
    units: ['mg/dL', 'mg/dL', 'mg/dL'],
    severity: 'warn',
    rationale: 'Total cholesterol is not below its parts',
    holds: (total = 0, hdl = 0, ldl = 0) => total * 1.02 >= hdl + ldl,
    title: (total = 0, hdl = 0, ldl = 0) =>
      `Cholesterol ${one(total)} is below HDL ${one(hdl)} and LDL ${one(ldl)} together`,
  },
  {
    id: 'R44',
    loincs: ['4544-3', '718-7'],
    units: ['%', 'g/dL'],
    severity: 'warn',
    rationale: 'Hematocrit is about three times hemoglobin',
    holds: (hematocrit = 0, hemoglobin = 0) => Math.abs(hematocrit - 3 * hemoglobin) <= 15,
    title: (hematocrit = 0, hemoglobin = 0) =>
      `Hematocrit ${one(hematocrit)} does not fit hemoglobin ${one(hemoglobin)}`,
  },
  {
    id: 'R48',
    loincs: ['1751-7', '2885-2'],
    units: ['g/dL', 'g/dL'],
    severity: 'error',
    rationale: 'Albumin is a part of total protein',
    holds: (albumin = 0, protein = 0) => albumin < protein,
    title: (albumin = 0, protein = 0) => `Albumin ${one(albumin)} is not below total protein ${one(protein)}`,
  },
  {
    id: 'R49',
    loincs: ['1968-7', '1975-2'],
    units: ['mg/dL', 'mg/dL'],
    severity: 'error',
    rationale: 'Direct bilirubin is a part of total bilirubin',
    holds: (direct = 0, total = 0) => direct <= total,
    title: (direct = 0, total = 0) => `Direct bilirubin ${one(direct)} is above total ${one(total)}`,
  },
]

function ruleOf(relation: Relation): Rule {
  return {
    id: relation.id,
    kahn: 'plausibility',
    severity: relation.severity,
    review: 'proposed',
    rationale: relation.rationale,
    apply: (facts) => {
      const sets = together(facts, relation.loincs).filter((set) =>
        set.every((m, i) => m.unit === relation.units[i]),
      )
      return over(sets, 'the values are not there together in the expected units', (set): Hit | null => {
        const values = set.map((measurement) => measurement.value)
        if (relation.holds(...values)) return null
        return {
          title: `${relation.title(...values)} (${set[0]?.item.source ?? ''})`,
          explanation: `${relation.rationale}. One of the values, or its unit, is probably wrong.`,
          evidence: set.map(citeValue),
        }
      })
    },
  }
}

function one(value: number): string {
  return String(Math.round(value * 10) / 10)
}

export const COMPUTED_RULES: readonly Rule[] = RELATIONS.map(ruleOf)
