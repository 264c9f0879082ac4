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
const NO_LATEST = 'no dates that tell which statement is the latest'

export const MEDICINE_CASES: readonly Case[] = [
  {
    rule: 'R13',
    broken: [item('a', medicine('m', '308182')), item('b', medicine('n', AMOXICILLIN))],
    kept: [item('a', medicine('m', '308182')), item('b', medicine('n', LISINOPRIL))],
    nearly: [
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
  {
    rule: 'R83',
    broken: [
      ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
      ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
    ],
    kept: [
      ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
      ordered('b', 'n', AMOXICILLIN, 'completed', '2020-03-01'),
    ],
    nearly: [
      {
        why: 'ordered again after it was stopped',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-03-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-01-01'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2019-12-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-01-01'),
        ],
      },
      {
        why: 'stopped, then ordered again by the same institution',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          ordered('b', 'o', AMOXICILLIN, 'active', '2020-04-01'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'active', '2020-03-01'),
          ordered('b', 'o', AMOXICILLIN, 'stopped', '2020-04-01'),
        ],
        also: ['R13'],
      },
      {
        why: 'both in one institution',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('a', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          ordered('b', 'o', LISINOPRIL, 'active', '2020-03-01'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          ordered('b', 'o', LISINOPRIL, 'active', '2020-03-01'),
        ],
      },
      {
        why: 'on hold',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'on-hold', '2020-03-01'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
        ],
      },
      {
        why: 'no dates',
        items: [item('a', medicine('m', AMOXICILLIN)), item('b', medicine('n', AMOXICILLIN, 'stopped'))],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-01-01'),
        ],
        because: 'no date that tells which order is the later one',
      },
      {
        why: 'dates too coarse',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-03-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-03-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2021'),
        ],
        because: 'dates too coarse to tell which order is the later one',
      },
      {
        why: 'the latest is unknown',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          item('b', medicine('o', AMOXICILLIN, 'completed')),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          ordered('b', 'o', AMOXICILLIN, 'completed', '2020-02-01'),
        ],
        because: NO_LATEST,
      },
      {
        why: 'another medicine',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', LISINOPRIL, 'stopped', '2020-03-01'),
        ],
        but: [
          ordered('a', 'm', LISINOPRIL, 'active', '2020-01-01'),
          ordered('b', 'n', LISINOPRIL, 'stopped', '2020-03-01'),
        ],
      },
    ],
  },
]
