// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { allergyOf, scopesOf, type Allergy } from '../../read/allergy.ts'
import { hasStatus, isRefuted, keysOf } from '../../read/codes.ts'
import { medicineOf, type Medicine } from '../../read/medicine.ts'
import { momentOf } from '../../read/moment.ts'
import {
  check,
  found,
  HOLDS,
  NOTHING,
  notAssessed,
  type Hit,
  type Lookup,
  type Part,
  type Rule,
} from '../../rule.ts'
import { comparing, opposed, type Statement } from './statements.ts'

/**
 * Classes in which an allergy to one member speaks against the others (proposed). Elsewhere only the substance itself
 * counts, or an allergy that was stated for the class.
 */
const CROSS_REACTIVE: ReadonlySet<string> = new Set([
  'penicillins',
  'cephalosporins',
  'sulfonamide-antibiotics',
  'nsaids',
])

/** Orders that are in force, or suspended and to be resumed. */
const IN_FORCE: ReadonlySet<string> = new Set(['active', 'on-hold'])

function currentMedicine(reading: Reading, lookup: Lookup): Medicine | null {
  const medicine = medicineOf(reading, lookup)
  return medicine && IN_FORCE.has(medicine.status) ? medicine : null
}

function currentAllergy(reading: Reading, { knowledge }: Lookup): Allergy | null {
  const allergy = allergyOf(reading, knowledge)
  return allergy.isCurrent && allergy.absence === null ? allergy : null
}

/** What an allergy forbids: substances, and classes where it is stated for one or the class is cross-reactive. */
function forbidden({ allergen, isIntolerance }: Allergy): readonly string[] {
  const { ingredients = [], classes = [] } = allergen ?? {}
  const isOfClass = ingredients.length === 0
  return [
    ...(ingredients.length === 1 ? ingredients.map((name) => `substance/${name}`) : []),
    ...(ingredients.length > 1 ? [`all/${ingredients.toSorted().join('+')}`] : []),
    ...classes
      .filter((name) => isOfClass || (CROSS_REACTIVE.has(name) && !isIntolerance))
      .map((name) => `class/${name}`),
  ]
}

function contains({ drug }: Medicine): readonly string[] {
  const { ingredients = [], classes = [] } = drug ?? {}
  return [
    ...ingredients.map((name) => `substance/${name}`),
    ...(ingredients.length > 1 ? [`all/${ingredients.toSorted().join('+')}`] : []),
    ...classes.map((name) => `class/${name}`),
  ]
}

const TYPES = ['AllergyIntolerance', 'MedicationRequest']

const allergyAgainstMedication: Rule = {
  id: 'R80',
  kahn: 'plausibility',
  severity: 'safety',
  review: 'proposed',
  rationale: 'An active medicine belongs to a class to which an allergy is recorded',
  needs: 'no active allergy beside an active medicine',
  checks: [
    {
      scope: 'resource',
      types: ['AllergyIntolerance'],
      judge: (reading, _situation, lookup) => {
        const allergy = currentAllergy(reading, lookup)
        return allergy && forbidden(allergy).length === 0
          ? [notAssessed('an allergy to something that the tables do not know')]
          : []
      },
    },
    // Counts the medicines that are held against the allergies, where there are any.
    check<Medicine | null>({
      scope: 'member',
      reach: 0,
      anchors: 'presence',
      types: TYPES,
      parts: (reading, lookup) => {
        if (reading.type === 'MedicationRequest') {
          const value = currentMedicine(reading, lookup)
          return value ? [{ key: 'all', value }] : []
        }
        const allergy = currentAllergy(reading, lookup)
        return allergy && forbidden(allergy).length > 0 ? [{ key: 'all', isAnchor: true, value: null }] : []
      },
      judge: ({ members, anchors }, index) => {
        if (anchors.length === 0) return NOTHING
        const drug = members[index]?.value?.drug
        if (!drug) return notAssessed('a medicine that the tables do not know')
        return drug.complete ? HOLDS : notAssessed('a medicine whose ingredients are not all known')
      },
    }),
    check<{ readonly allergy?: Allergy; readonly medicine?: Medicine }>({
      scope: 'member',
      reach: 0,
      anchors: 'content',
      types: TYPES,
      parts: (reading, lookup) => {
        if (reading.type === 'MedicationRequest') {
          const medicine = currentMedicine(reading, lookup)
          return medicine ? contains(medicine).map((key) => ({ key, value: { medicine } })) : []
        }
        const allergy = currentAllergy(reading, lookup)
        return allergy ? forbidden(allergy).map((key) => ({ key, isAnchor: true, value: { allergy } })) : []
      },
      judge: ({ members, anchors }, index) => {
        const { medicine } = members[index]?.value ?? {}
        if (!medicine) return NOTHING
        return found(
          anchors.flatMap(({ value: { allergy } }) => (allergy ? [against(allergy, medicine)] : [])),
        )
      },
    }),
  ],
}

function against(allergy: Allergy, medicine: Medicine): Hit {
  const allergen = allergy.reading.item
  const drug = medicine.reading.item
  const shared = contains(medicine).find((one) => forbidden(allergy).includes(one)) ?? ''
  const name = shared.slice(shared.indexOf('/') + 1)
  const state = medicine.status === 'active' ? 'active' : 'on hold'
  return {
    title: `${allergy.name} (${allergen.source}), but ${medicine.name} is ${state} (${drug.source})`,
    explanation: `${shared.startsWith('class/') ? `Both belong to the class ${name}` : `Both name ${name}`}. Either the allergy or the prescription is not up to date somewhere.`,
    evidence: [cite(allergen, '/code'), ...medicine.evidence],
  }
}

const noKnownAgainstAllergy: Rule = {
  id: 'R81',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: '"No known allergies" stands beside an allergy',
  needs: 'no statement that there are no allergies',
  checks: [
    check<Allergy>({
      scope: 'group',
      types: ['AllergyIntolerance'],
      parts: (reading, { knowledge }): Part<Allergy>[] => {
        const allergy = allergyOf(reading, knowledge)
        if (!allergy.isCurrent) return []
        if (allergy.absence !== null) {
          const [kind, scope = ''] = allergy.absence.split(':')
          return kind === 'allergy' ? [{ key: scope, isAnchor: true, value: allergy }] : []
        }
        return ['any', ...scopesOf(allergy, knowledge)].map((key) => ({ key, value: allergy }))
      },
      judge: ({ members, anchors }) => ({
        ...NOTHING,
        checked: anchors.length,
        hits: anchors.flatMap(({ value: absent }) =>
          members.map(({ value: present }) => besideAbsence(absent, present)),
        ),
      }),
    }),
  ],
}

function besideAbsence(absent: Allergy, present: Allergy): Hit {
  const [none, some] = [absent.reading.item, present.reading.item]
  const words = absent.absence === 'allergy:any' ? 'No known allergies' : absent.name
  return {
    title: `"${words}" (${none.source}) beside ${present.name} (${some.source})`,
    explanation: 'One institution knows of an allergy that the other does not.',
    evidence: [cite(none, '/code'), cite(some, '/code')],
  }
}

function verified(reading: Reading): Statement | null {
  const { item } = reading
  const { resource } = item
  const at = momentOf(resource['recordedDate'])
  const base = { reading, at, name: '', naming: [cite(item, '/code')] }
  if (isRefuted(resource)) return { ...base, state: 'refuted' }
  const isOver = hasStatus(resource, 'clinicalStatus', 'inactive', 'resolved')
  return hasStatus(resource, 'verificationStatus', 'confirmed') && !isOver
    ? { ...base, state: 'confirmed' }
    : null
}

const allergyRefuted: Rule = {
  id: 'R82',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'structural',
  rationale: 'One institution refutes an allergy that another confirms',
  needs: 'no verified allergies of two institutions',
  checks: comparing(
    ['AllergyIntolerance'],
    (reading, { knowledge }) => {
      const statement = verified(reading)
      if (!statement) return null
      const { allergen, name } = allergyOf(reading, knowledge)
      const substances = (allergen?.ingredients ?? []).map((one) => `substance/${one}`)
      return {
        statement: { ...statement, name },
        keys: [...keysOf(reading.item.resource['code']), ...substances],
      }
    },
    (latest) =>
      found(
        opposed(latest, 'refuted', 'confirmed').map(([refuted, confirmed]) => disagree(refuted, confirmed)),
      ),
  ),
}

/** Two institutions that verify the same thing to opposite ends. */
export function disagree(refuted: Statement, confirmed: Statement): Hit {
  const [a, b] = [refuted.reading.item, confirmed.reading.item]
  return {
    title: `${confirmed.name}: refuted (${a.source}), confirmed (${b.source})`,
    explanation: 'The institutions do not agree. Ask which of them knows more recent facts.',
    evidence: [
      cite(a, '/verificationStatus'),
      cite(b, '/verificationStatus'),
      ...refuted.naming,
      ...confirmed.naming,
    ],
  }
}

export const ALLERGY_RULES: readonly Rule[] = [
  allergyAgainstMedication,
  noKnownAgainstAllergy,
  allergyRefuted,
]
