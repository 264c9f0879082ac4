// SPDX-License-Identifier: Apache-2.0
import { codingsOf, groupBy, timeOf, type Measurement, type RecordItem } from '../facts.ts'
import { citeValue, cite, over, type Rule } from '../rule.ts'
import { pairs } from './identity.ts'

const DAY = 86_400_000
/** Two reports of one event differ in rounding at most by this factor. */
const ROUNDING = 0.02

const withinInstitution: Rule = {
  id: 'R11',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'structural',
  rationale: 'One institution sent the same value twice under two ids',
  apply: (facts) => {
    const groups = groupBy(
      facts.measurements.filter(({ at }) => at !== null),
      (m) => `${m.item.source}/${m.loinc}/${String(m.at)}/${m.value}/${m.unit}`,
    )
    return over([...groups.values()], 'no dated value', (group) => {
      const ids = new Set(group.map(({ item }) => item.resource.id))
      if (ids.size < 2) return null
      return {
        title: `The same ${nameOf(group[0])} was sent ${ids.size} times (${group[0]?.item.source ?? ''})`,
        explanation: 'Code, time, value and unit agree; the ids differ. It counts as one.',
        evidence: group.map(citeValue),
      }
    })
  },
}

const acrossInstitutions: Rule = {
  id: 'R12',
  kahn: 'plausibility',
  severity: 'info',
  review: 'proposed',
  rationale: 'Two institutions tell of the same result',
  apply: (facts, knowledge) => {
    const dated = facts.measurements.filter(({ at }) => at !== null)
    const groups = [...groupBy(dated, (m) => m.loinc).values()].filter(
      (group) => new Set(group.map((m) => m.item.source)).size > 1,
    )
    return over(
      groups.flatMap(closePairs),
      'no value that two institutions report within a day',
      ([a, b]) => {
        const factor = knowledge.analytes.get(a.loinc)?.mgPerMmol ?? null
        if (!sameValue(a, b, factor)) return null
        return {
          title: `${nameOf(a)}: probably one result, told by ${a.item.source} and ${b.item.source}`,
          explanation:
            'Code and day agree, and so do the values after conversion and rounding. They are linked, not deleted.',
          evidence: [citeValue(a), citeValue(b)],
        }
      },
    )
  },
}

/** Pairs of different institutions within a day of each other; the list is sorted by time first. */
function closePairs(group: readonly Measurement[]): (readonly [Measurement, Measurement])[] {
  const sorted = group.toSorted(
    (a, b) => (a.at ?? 0) - (b.at ?? 0) || (a.item.source < b.item.source ? -1 : 1),
  )
  return sorted.flatMap((a, i) => {
    const near: (readonly [Measurement, Measurement])[] = []
    for (let j = i + 1; j < sorted.length; j++) {
      const b = sorted[j]
      if (!b || (b.at ?? 0) - (a.at ?? 0) > DAY) break
      if (b.item.source !== a.item.source) near.push([a, b])
    }
    return near
  })
}

function sameValue(a: Measurement, b: Measurement, mgPerMmol: number | null): boolean {
  const left = inMg(a, mgPerMmol)
  const right = inMg(b, mgPerMmol)
  if (left.unit !== right.unit || left.value === 0 || right.value === 0) return false
  return (
    Math.abs(left.value - right.value) <= ROUNDING * Math.max(Math.abs(left.value), Math.abs(right.value))
  )
}

function inMg(m: Measurement, mgPerMmol: number | null): { value: number; unit: string } {
  if (m.unit === 'mmol/L' && mgPerMmol !== null) return { value: m.value * mgPerMmol, unit: 'mg/dL' }
  return { value: m.value, unit: m.unit }
}

const sameIngredient: Rule = {
  id: 'R13',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'proposed',
  rationale: 'The same medicine is active twice',
  apply: (facts, knowledge) => {
    const active = (facts.byType.get('MedicationRequest') ?? []).filter(
      ({ resource }) => resource['status'] === 'active',
    )
    const found = active.flatMap((item) => {
      const codes = codingsOf(item.resource['medicationCodeableConcept'])
      const ingredients = codes.flatMap(({ code }) => knowledge.drugs.get(code)?.ingredients ?? [])
      return ingredients.length > 0 ? [{ item, key: ingredients.toSorted().join('+') }] : []
    })
    const repeated = pairs(found).filter(([a, b]) => a.item.source !== b.item.source)
    return over(repeated, 'fewer than two active medicines with known ingredients', ([a, b]) =>
      a.key !== b.key
        ? null
        : {
            title: `${a.key} is active in ${a.item.source} and in ${b.item.source}`,
            explanation:
              'Both institutions list it as active. It may be one prescription told twice, or two.',
            evidence: [
              cite(a.item, '/medicationCodeableConcept', a.key),
              cite(b.item, '/medicationCodeableConcept', b.key),
            ],
          },
    )
  },
}

const immunizationTwice: Rule = {
  id: 'R15',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'proposed',
  rationale: 'The same vaccine was given twice within two weeks',
  apply: (facts) => {
    const given = (facts.byType.get('Immunization') ?? []).flatMap((item) => {
      const at = timeOf(item.resource)
      const cvx = codingsOf(item.resource['vaccineCode'])[0]?.code
      return item.resource['status'] === 'completed' && at !== null && cvx !== undefined
        ? [{ item, at, cvx }]
        : []
    })
    const groups = [...groupBy(given, ({ cvx }) => cvx).values()]
    return over(groups.flatMap(pairs), 'no vaccine that was given twice', ([a, b]) =>
      Math.abs(a.at - b.at) >= 14 * DAY
        ? null
        : {
            title: `Vaccine ${a.cvx} is recorded twice within two weeks`,
            explanation: 'It is probably one dose, recorded twice.',
            evidence: [day(a.item, a.at), day(b.item, b.at)],
          },
    )
  },
}

function day(item: RecordItem, at: number) {
  return cite(item, '/occurrenceDateTime', new Date(at).toISOString().slice(0, 10))
}

function nameOf(measurement: Measurement | undefined): string {
  const { coding, text } = (measurement?.item.resource['code'] ?? {}) as {
    coding?: { display?: string }[]
    text?: string
  }
  return text ?? coding?.[0]?.display ?? 'result'
}

export const DUPLICATE_RULES: readonly Rule[] = [
  withinInstitution,
  acrossInstitutions,
  sameIngredient,
  immunizationTwice,
]
