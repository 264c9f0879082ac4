// SPDX-License-Identifier: Apache-2.0
import {
  AMOXICILLIN,
  LISINOPRIL,
  RXNORM,
  concept,
  item,
  medicine,
  type Case,
  type Json,
} from '../small-records.ts'

const ordered = (
  source: string,
  id: string,
  code: string,
  state: string,
  authoredOn: string,
  more: Json = {},
) => item(source, medicine(id, code, state, { authoredOn, ...more }))
const product = (code: string): Json => ({
  resourceType: 'Medication',
  id: 'prod',
  code: concept(RXNORM, code, 'product'),
})
const byReference = (reference: string): Json => ({
  medicationCodeableConcept: undefined,
  medicationReference: { reference },
})
const NAMED = 'urn:uuid:0b6f4f43-31f5-4b27-93a3-9b7a5a0f5f0e'

export const MEDICINE_CASES: readonly Case[] = [
  {
    rule: 'R13',
    broken: [item('a', medicine('m', '308182')), item('b', medicine('n', AMOXICILLIN))],
    kept: [item('a', medicine('m', '308182')), item('b', medicine('n', LISINOPRIL))],
    nearly: [
      {
        why: 'one institution alone',
        items: [item('a', medicine('m', AMOXICILLIN)), item('a', medicine('n', '308182'))],
        but: [item('a', medicine('m', AMOXICILLIN)), item('b', medicine('n', '308182'))],
        because: 'no active medicines of two institutions with known ingredients',
      },
      ...(['stopped', 'on-hold', 'draft', 'completed'] as const).map((state) => ({
        why: `one is ${state}`,
        items: [
          item('a', medicine('m', '308182')),
          item('b', medicine('n', AMOXICILLIN, state)),
          item('b', medicine('o', LISINOPRIL)),
        ],
        but: [
          item('a', medicine('m', '308182')),
          item('b', medicine('n', AMOXICILLIN, 'active')),
          item('b', medicine('o', LISINOPRIL)),
        ],
      })),
      {
        why: 'a combination is another medicine',
        items: [item('a', medicine('m', LISINOPRIL)), item('b', medicine('n', '197885'))],
        but: [item('a', medicine('m', LISINOPRIL)), item('b', medicine('n', LISINOPRIL))],
      },
      {
        why: 'one is a plan',
        items: [
          item('a', medicine('m', '308182')),
          item('b', medicine('n', AMOXICILLIN, 'active', { intent: 'plan' })),
          item('b', medicine('o', LISINOPRIL)),
        ],
        but: [
          item('a', medicine('m', '308182')),
          item('b', medicine('n', AMOXICILLIN, 'active', { intent: 'instance-order' })),
          item('b', medicine('o', LISINOPRIL)),
        ],
      },
      {
        why: 'one was used up before',
        items: [
          ordered('a', 'm', '308182', 'active', '2019-01-01', {
            dispenseRequest: { validityPeriod: { end: '2019-02-01' } },
          }),
          ordered('b', 'n', AMOXICILLIN, 'active', '2020-01-01'),
        ],
        but: [
          ordered('a', 'm', '308182', 'active', '2019-01-01', {
            dispenseRequest: { validityPeriod: { end: '2020-02-01' } },
          }),
          ordered('b', 'n', AMOXICILLIN, 'active', '2020-01-01'),
        ],
      },
      {
        why: 'one institution orders again',
        items: [
          item('a', medicine('m', AMOXICILLIN)),
          item('a', medicine('n', AMOXICILLIN)),
          item('b', medicine('o', LISINOPRIL)),
        ],
        but: [
          item('a', medicine('m', AMOXICILLIN)),
          item('b', medicine('n', AMOXICILLIN)),
          item('b', medicine('o', LISINOPRIL)),
        ],
      },
      {
        why: 'not all ingredients are known',
        items: [item('a', medicine('m', '562251')), item('b', medicine('n', AMOXICILLIN))],
        but: [item('a', medicine('m', '308182')), item('b', medicine('n', AMOXICILLIN))],
        because: 'a medicine whose ingredients are not all known',
      },
      {
        why: 'a code of another system',
        items: [
          item('a', medicine('m', '308182')),
          item(
            'b',
            medicine('n', '', 'active', { medicationCodeableConcept: concept('urn:local', AMOXICILLIN) }),
          ),
        ],
        but: [
          item('a', medicine('m', '308182')),
          item('b', medicine('n', '', 'active', { medicationCodeableConcept: concept(RXNORM, AMOXICILLIN) })),
        ],
        because: 'a medicine whose ingredients are not all known',
      },
      {
        why: 'a Medication that is another product',
        items: [
          item('a', medicine('m', AMOXICILLIN)),
          item('b', medicine('n', '', 'active', byReference('Medication/prod'))),
          item('b', product(LISINOPRIL)),
        ],
        but: [
          item('a', medicine('m', AMOXICILLIN)),
          item('b', medicine('n', '', 'active', byReference('Medication/prod'))),
          item('b', product(AMOXICILLIN)),
        ],
      },
      {
        why: 'a Medication of another institution',
        items: [
          item('a', medicine('m', AMOXICILLIN)),
          item('b', medicine('n', '', 'active', byReference('Medication/prod'))),
          item('a', product(AMOXICILLIN)),
        ],
        but: [
          item('a', medicine('m', AMOXICILLIN)),
          item('b', medicine('n', '', 'active', byReference('Medication/prod'))),
          item('b', product(AMOXICILLIN)),
        ],
        because: 'a medicine whose ingredients are not all known',
      },
      {
        why: 'a Medication that its message named otherwise',
        items: [
          item('a', medicine('m', AMOXICILLIN)),
          item('b', medicine('n', '', 'active', byReference(NAMED))),
          { ...item('b', product(LISINOPRIL)), fullUrl: NAMED },
        ],
        but: [
          item('a', medicine('m', AMOXICILLIN)),
          item('b', medicine('n', '', 'active', byReference(NAMED))),
          { ...item('b', product(AMOXICILLIN)), fullUrl: NAMED },
        ],
      },
      {
        why: 'the other one of two contained Medications',
        items: [
          item('a', medicine('m', AMOXICILLIN)),
          item(
            'b',
            medicine('n', '', 'active', {
              ...byReference('#prod'),
              contained: [{ ...product(AMOXICILLIN), id: 'other' }, product(LISINOPRIL)],
            }),
          ),
        ],
        but: [
          item('a', medicine('m', AMOXICILLIN)),
          item(
            'b',
            medicine('n', '', 'active', {
              ...byReference('#prod'),
              contained: [{ ...product(LISINOPRIL), id: 'other' }, product(AMOXICILLIN)],
            }),
          ),
        ],
      },
      {
        why: 'a contained Medication that is another product',
        items: [
          item('a', medicine('m', AMOXICILLIN)),
          item(
            'b',
            medicine('n', '', 'active', { ...byReference('#prod'), contained: [product(LISINOPRIL)] }),
          ),
        ],
        but: [
          item('a', medicine('m', AMOXICILLIN)),
          item(
            'b',
            medicine('n', '', 'active', { ...byReference('#prod'), contained: [product(AMOXICILLIN)] }),
          ),
        ],
      },
    ],
  },
]
