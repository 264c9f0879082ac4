// SPDX-License-Identifier: Apache-2.0
import { codingsOf, isRefuted, statusCode, type Facts, type RecordItem } from '../facts.ts'
import type { Knowledge } from '../knowledge.ts'
import { cite, over, type Rule } from '../rule.ts'
import { acrossSources, pairs } from './identity.ts'

/** Active allergies that are not a statement of absence. */
function allergies(facts: Facts, knowledge: Knowledge): RecordItem[] {
  return (facts.byType.get('AllergyIntolerance') ?? []).filter(({ resource }) => {
    const status = statusCode(resource['clinicalStatus'])
    return (
      !isRefuted(resource) &&
      (status === null || status === 'active') &&
      noKnownScope(resource, knowledge) === null
    )
  })
}

function noKnownScope(resource: RecordItem['resource'], knowledge: Knowledge): string | null {
  for (const { system, code } of codingsOf(resource['code'])) {
    const scope = knowledge.noKnown.get(`${system}|${code}`)
    if (scope !== undefined) return scope
  }
  return null
}

function allergyClasses(item: RecordItem, knowledge: Knowledge): readonly string[] {
  return codingsOf(item.resource['code']).flatMap(({ system, code }) => [
    ...(knowledge.allergens.get(`${system}|${code}`) ?? []),
    ...(knowledge.drugs.get(code)?.classes ?? []),
  ])
}

function displayOf(item: RecordItem, element: string): string {
  const value = item.resource[element] as { text?: string } | undefined
  return value?.text ?? codingsOf(value)[0]?.display ?? codingsOf(value)[0]?.code ?? ''
}

const allergyAgainstMedication: Rule = {
  id: 'R80',
  kahn: 'plausibility',
  severity: 'safety',
  review: 'proposed',
  rationale: 'An active medicine belongs to a class to which an allergy is recorded',
  apply: (facts, knowledge) => {
    const known = allergies(facts, knowledge).flatMap((item) => {
      const classes = allergyClasses(item, knowledge)
      return classes.length > 0 ? [{ item, classes }] : []
    })
    const medicines = (facts.byType.get('MedicationRequest') ?? []).flatMap((item) => {
      const classes = codingsOf(item.resource['medicationCodeableConcept']).flatMap(
        ({ code }) => knowledge.drugs.get(code)?.classes ?? [],
      )
      return item.resource['status'] === 'active' && classes.length > 0 ? [{ item, classes }] : []
    })
    const candidates = known.flatMap((allergy) => medicines.map((medicine) => ({ allergy, medicine })))
    return over(
      candidates,
      'no active allergy or no active medicine with a known class',
      ({ allergy, medicine }) => {
        const shared = allergy.classes.find((name) => medicine.classes.includes(name))
        if (shared === undefined) return null
        const [allergen, drug] = [
          displayOf(allergy.item, 'code'),
          displayOf(medicine.item, 'medicationCodeableConcept'),
        ]
        return {
          title: `${allergen} (${allergy.item.source}), but ${drug} is active (${medicine.item.source})`,
          explanation: `Both belong to the class ${shared}. Either the allergy or the prescription is not up to date somewhere.`,
          evidence: [
            cite(allergy.item, '/code', allergen),
            cite(medicine.item, '/medicationCodeableConcept', drug),
          ],
        }
      },
    )
  },
}

const noKnownAgainstAllergy: Rule = {
  id: 'R81',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: '"No known allergies" stands beside an allergy',
  apply: (facts, knowledge) => {
    const none = (facts.byType.get('AllergyIntolerance') ?? []).filter(
      ({ resource }) =>
        !isRefuted(resource) && (noKnownScope(resource, knowledge) ?? '').startsWith('allergy:any'),
    )
    const candidates = none.flatMap((absent) =>
      allergies(facts, knowledge).map((present) => [absent, present] as const),
    )
    return over(candidates, 'no statement of absence beside an allergy', ([absent, present]) => ({
      title: `"No known allergies" (${absent.source}) beside ${displayOf(present, 'code')} (${present.source})`,
      explanation: 'One institution knows of an allergy that the other does not.',
      evidence: [
        cite(absent, '/code', displayOf(absent, 'code')),
        cite(present, '/code', displayOf(present, 'code')),
      ],
    }))
  },
}

function refutedAgainstConfirmed(id: string, type: 'AllergyIntolerance' | 'Condition', words: string): Rule {
  return {
    id,
    kahn: 'plausibility',
    severity: 'warn',
    review: 'structural',
    rationale: `One institution refutes ${words} that another confirms`,
    apply: (facts) => {
      const candidates = acrossSources(facts.byType.get(type) ?? []).filter(([a, b]) => sharesCode(a, b))
      return over(candidates, `no ${words} that two institutions record`, ([a, b]) => {
        const states = [
          statusCode(a.resource['verificationStatus']),
          statusCode(b.resource['verificationStatus']),
        ]
        if (!states.includes('refuted') || !states.includes('confirmed')) return null
        return {
          title: `${displayOf(a, 'code')}: ${String(states[0])} (${a.source}), ${String(states[1])} (${b.source})`,
          explanation: 'The institutions do not agree. Ask which of them knows more recent facts.',
          evidence: [cite(a, '/verificationStatus', states[0]), cite(b, '/verificationStatus', states[1])],
        }
      })
    },
  }
}

function sharesCode(a: RecordItem, b: RecordItem): boolean {
  const codes = new Set(codingsOf(a.resource['code']).map(({ system, code }) => `${system}|${code}`))
  return codingsOf(b.resource['code']).some(({ system, code }) => codes.has(`${system}|${code}`))
}

const activeAgainstStopped: Rule = {
  id: 'R83',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'proposed',
  rationale: 'One institution lists a medicine as active that another stopped',
  apply: (facts) => {
    const coded = acrossSources(facts.byType.get('MedicationRequest') ?? []).filter(([a, b]) =>
      sharesMedicine(a, b),
    )
    return over(coded, 'no medicine that two institutions list', ([a, b]) => {
      const states = [String(a.resource['status']), String(b.resource['status'])]
      if (!states.includes('active') || !states.includes('stopped')) return null
      return {
        title: `${displayOf(a, 'medicationCodeableConcept')}: ${states[0] ?? ''} (${a.source}), ${states[1] ?? ''} (${b.source})`,
        explanation: 'One of the lists is not up to date.',
        evidence: [cite(a, '/status', states[0]), cite(b, '/status', states[1])],
      }
    })
  },
}

function sharesMedicine(a: RecordItem, b: RecordItem): boolean {
  const codes = new Set(codingsOf(a.resource['medicationCodeableConcept']).map(({ code }) => code))
  return codingsOf(b.resource['medicationCodeableConcept']).some(({ code }) => codes.has(code))
}

const abatedButActive: Rule = {
  id: 'R64b',
  kahn: 'conformance',
  severity: 'warn',
  review: 'structural',
  rationale: 'A condition that has ended is still active',
  apply: (facts) =>
    over(
      (facts.byType.get('Condition') ?? []).filter(
        ({ resource }) => resource['abatementDateTime'] !== undefined,
      ),
      'no condition with an end',
      (item) => {
        const status = statusCode(item.resource['clinicalStatus'])
        if (status === null || !['active', 'recurrence', 'relapse'].includes(status)) return null
        return {
          title: `${displayOf(item, 'code')} has ended but is ${status} (${item.source})`,
          explanation: 'The end date and the clinical status do not fit each other.',
          evidence: [
            cite(item, '/clinicalStatus', status),
            cite(item, '/abatementDateTime', item.resource['abatementDateTime']),
          ],
        }
      },
    ),
}

const twiceActive: Rule = {
  id: 'R14',
  kahn: 'plausibility',
  severity: 'info',
  review: 'proposed',
  rationale: 'The same condition is active twice in one institution with different beginnings',
  apply: (facts) => {
    const active = (facts.byType.get('Condition') ?? []).filter(
      ({ resource }) =>
        statusCode(resource['clinicalStatus']) === 'active' && resource['onsetDateTime'] !== undefined,
    )
    const same = pairs(active).filter(([a, b]) => a.source === b.source && sharesCode(a, b))
    return over(same, 'no condition that is active twice', ([a, b]) =>
      String(a.resource['onsetDateTime']).slice(0, 10) === String(b.resource['onsetDateTime']).slice(0, 10)
        ? null
        : {
            title: `${displayOf(a, 'code')} is active twice with different beginnings (${a.source})`,
            explanation: 'It may be one condition that was entered twice.',
            evidence: [
              cite(a, '/onsetDateTime', a.resource['onsetDateTime']),
              cite(b, '/onsetDateTime', b.resource['onsetDateTime']),
            ],
          },
    )
  },
}

export const CONTRADICTION_RULES: readonly Rule[] = [
  allergyAgainstMedication,
  noKnownAgainstAllergy,
  refutedAgainstConfirmed('R82', 'AllergyIntolerance', 'an allergy'),
  refutedAgainstConfirmed('R88', 'Condition', 'a condition'),
  activeAgainstStopped,
  abatedButActive,
  twiceActive,
]
