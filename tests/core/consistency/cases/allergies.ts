// SPDX-License-Identifier: Apache-2.0
import {
  AMOXICILLIN,
  LISINOPRIL,
  NONE_KNOWN,
  PENICILLIN,
  RXNORM,
  SNOMED,
  allergy,
  concept,
  error,
  item,
  medicine,
  refuted,
  status,
  type Case,
  type Items,
  type Json,
} from '../small-records.ts'

const [IBUPROFEN, NAPROXEN] = ['310965', '849574']
const to = (code: Json, more: Json = {}): ReturnType<typeof item> => item('a', allergy('x', code, more))
const orders = (code: string, state = 'active', more: Json = {}) =>
  item('b', medicine('m', code, state, more))
const conflict = (more: Json): Items => [to(PENICILLIN, more), orders(AMOXICILLIN)]
const ingredient = (code: string) => concept(RXNORM, code)
const product = (code: string): Json => ({ resourceType: 'Medication', id: 'prod', code: ingredient(code) })
const NO_PAIR = 'no active allergy beside an active medicine'
const none = (code = '716186003', more: Json = {}) =>
  item('b', allergy('y', concept(SNOMED, code, `none: ${code}`), more))
const isAllergic = (source: string, id: string, more: Json = {}) =>
  item(source, allergy(id, PENICILLIN, more))
const NO_LATEST = 'no dates that tell which statement is the latest'

export const ALLERGY_CASES: readonly Case[] = [
  {
    rule: 'R80',
    broken: conflict({}),
    kept: [to(PENICILLIN), orders(LISINOPRIL)],
    nearly: [
      { why: 'refuted', items: conflict(refuted), but: conflict({}), because: NO_PAIR },
      { why: 'entered in error', items: conflict(error), but: conflict({}), because: NO_PAIR },
      {
        why: 'resolved',
        items: conflict({ clinicalStatus: status('resolved') }),
        but: conflict({ clinicalStatus: undefined }),
        because: NO_PAIR,
      },
      ...(['draft', 'stopped', 'completed', 'cancelled'] as const).map((state) => ({
        why: `the order is ${state}`,
        items: [to(PENICILLIN), orders(AMOXICILLIN, state)],
        but: [to(PENICILLIN), orders(AMOXICILLIN, 'on-hold')],
        because: NO_PAIR,
      })),
      {
        why: 'an order not to give it',
        items: [to(PENICILLIN), orders(AMOXICILLIN, 'active', { doNotPerform: true })],
        but: [to(PENICILLIN), orders(AMOXICILLIN, 'active', { doNotPerform: false })],
        because: NO_PAIR,
      },
      ...['original-order', 'reflex-order', 'filler-order', 'instance-order'].map((intent) => ({
        why: `a plan, and no ${intent}`,
        items: [to(PENICILLIN), orders(AMOXICILLIN, 'active', { intent: 'plan' })],
        but: [to(PENICILLIN), orders(AMOXICILLIN, 'active', { intent })],
        because: NO_PAIR,
      })),
      {
        why: 'a proposal',
        items: [to(PENICILLIN), orders(AMOXICILLIN, 'active', { intent: 'proposal' })],
        but: [to(PENICILLIN), orders(AMOXICILLIN, 'active', { intent: 'order' })],
        because: NO_PAIR,
      },
      {
        why: 'one substance of a class that does not react as a class',
        items: [to(ingredient('3827')), orders(LISINOPRIL)],
        but: [to(ingredient('29046')), orders(LISINOPRIL)],
      },
      {
        why: 'an intolerance of one substance',
        items: [to(ingredient('5640'), { type: 'intolerance' }), orders(NAPROXEN)],
        but: [to(ingredient('5640'), { type: 'allergy' }), orders(NAPROXEN)],
      },
      {
        why: 'an intolerance of another substance',
        items: [to(ingredient('5640'), { type: 'intolerance' }), orders(NAPROXEN)],
        but: [to(ingredient('5640'), { type: 'intolerance' }), orders(IBUPROFEN)],
      },
      {
        why: 'an intolerance of another ingredient',
        items: [to(ingredient('723'), { type: 'intolerance' }), orders(LISINOPRIL)],
        but: [to(ingredient('723'), { type: 'intolerance' }), orders(AMOXICILLIN)],
      },
      {
        why: 'sulfonamides that are no antibiotics',
        items: [to(ingredient('10831')), orders('310798')],
        but: [to(ingredient('10831')), orders('198335')],
      },
      {
        why: 'nobody knows what the allergy is to',
        items: [to(concept(SNOMED, '416098002')), orders(AMOXICILLIN)],
        but: [to(PENICILLIN), orders(AMOXICILLIN)],
        because: 'an allergy to something that the tables do not know',
      },
      {
        why: 'nobody knows what the medicine is',
        items: [to(PENICILLIN), orders('999999999')],
        but: [to(PENICILLIN), orders(AMOXICILLIN)],
        because: 'a medicine that the tables do not know',
      },
      {
        why: 'nobody knows all that is in it',
        items: [to(ingredient('5640')), orders('562251')],
        but: [to(PENICILLIN), orders('562251')],
        because: 'a medicine whose ingredients are not all known',
      },
      {
        why: 'a code of another system',
        items: [
          to(PENICILLIN),
          orders('', 'active', { medicationCodeableConcept: concept('urn:local', AMOXICILLIN) }),
        ],
        but: [to(PENICILLIN), orders(AMOXICILLIN)],
        because: 'a medicine that the tables do not know',
      },
      {
        why: 'a Medication that is something else',
        items: [
          to(PENICILLIN),
          orders('', 'active', {
            medicationCodeableConcept: undefined,
            medicationReference: { reference: 'Medication/prod' },
          }),
          item('b', product(LISINOPRIL)),
        ],
        but: [
          to(PENICILLIN),
          orders('', 'active', {
            medicationCodeableConcept: undefined,
            medicationReference: { reference: 'Medication/prod' },
          }),
          item('b', product(AMOXICILLIN)),
        ],
      },
      {
        why: 'a modifier that nobody understands',
        items: [to(PENICILLIN), orders(AMOXICILLIN, 'active', { modifierExtension: [{ url: 'urn:not' }] })],
        but: [to(PENICILLIN), orders(AMOXICILLIN, 'active', { modifierExtension: [] })],
        because: NO_PAIR,
      },
    ],
  },
  {
    rule: 'R81',
    broken: [to(PENICILLIN), item('b', allergy('y', NONE_KNOWN))],
    kept: [item('b', allergy('y', NONE_KNOWN))],
    nearly: [
      {
        why: 'the allergy is resolved',
        items: [to(PENICILLIN, { clinicalStatus: status('resolved') }), none()],
        but: [to(PENICILLIN, { clinicalStatus: status('active') }), none()],
      },
      {
        why: 'the allergy is refuted',
        items: [to(PENICILLIN, refuted), none()],
        but: [to(PENICILLIN), none()],
      },
      {
        why: 'the statement no longer holds',
        items: [to(PENICILLIN), none('716186003', { clinicalStatus: status('inactive') })],
        but: [to(PENICILLIN), none('716186003', { clinicalStatus: status('active') })],
        because: 'no statement that there are no allergies',
      },
      {
        why: 'no food allergy, but one to a drug',
        items: [to(PENICILLIN), none('429625007')],
        but: [to(concept(SNOMED, '91935009')), none('429625007')],
      },
      {
        why: 'no drug allergy, but one to food',
        items: [to(concept(SNOMED, '91935009')), none('409137002')],
        but: [to(PENICILLIN), none('409137002')],
      },
      {
        why: 'no drug allergy, but one of another category',
        items: [to({ text: 'something' }, { category: ['food'] }), none('409137002')],
        but: [to({ text: 'something' }, { category: ['food', 'medication'] }), none('409137002')],
      },
      {
        why: 'no latex allergy, but one to a drug',
        items: [to(PENICILLIN), none('716184000')],
        but: [to(concept(SNOMED, '111088007')), none('716184000')],
      },
      {
        why: 'no medicines',
        items: [to(PENICILLIN), none('787481004')],
        but: [to(PENICILLIN), none()],
        because: 'no statement that there are no allergies',
      },
    ],
  },
  {
    rule: 'R82',
    broken: [isAllergic('a', 'x'), isAllergic('b', 'y', refuted)],
    kept: [isAllergic('a', 'x'), isAllergic('b', 'y')],
    nearly: [
      {
        why: 'one institution changed its mind',
        items: [
          isAllergic('a', 'x', { recordedDate: '2010' }),
          isAllergic('a', 'y', { ...refuted, recordedDate: '2020' }),
          isAllergic('b', 'z', refuted),
        ],
        but: [
          isAllergic('a', 'x', { recordedDate: '2020' }),
          isAllergic('a', 'y', { ...refuted, recordedDate: '2010' }),
          isAllergic('b', 'z', refuted),
        ],
      },
      {
        why: 'nobody knows which is its latest',
        items: [isAllergic('a', 'x'), isAllergic('a', 'y', refuted), isAllergic('b', 'z', refuted)],
        but: [isAllergic('a', 'x'), isAllergic('a', 'y'), isAllergic('b', 'z', refuted)],
        because: NO_LATEST,
      },
      {
        why: 'not confirmed',
        items: [
          isAllergic('a', 'x', { verificationStatus: status('unconfirmed') }),
          isAllergic('a', 'w', refuted),
          isAllergic('b', 'y', refuted),
        ],
        but: [
          isAllergic('a', 'x', { verificationStatus: status('confirmed'), recordedDate: '2020' }),
          isAllergic('a', 'w', { ...refuted, recordedDate: '2010' }),
          isAllergic('b', 'y', refuted),
        ],
      },
      {
        why: 'it is over',
        items: [
          isAllergic('a', 'x', { clinicalStatus: status('resolved') }),
          isAllergic('b', 'y', refuted),
          item('a', allergy('z', ingredient('5640'))),
        ],
        but: [
          isAllergic('a', 'x', { clinicalStatus: status('active') }),
          isAllergic('b', 'y', refuted),
          item('a', allergy('z', ingredient('5640'))),
        ],
      },
      {
        why: 'another substance',
        items: [item('a', allergy('x', ingredient('5640'))), isAllergic('b', 'y', refuted)],
        but: [
          item('a', allergy('x', ingredient('5640'))),
          item('b', allergy('y', ingredient(IBUPROFEN), refuted)),
        ],
      },
    ],
  },
]
