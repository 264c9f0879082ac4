// SPDX-License-Identifier: Apache-2.0
import type { RecordItem } from '#core/consistency/facts.ts'
import {
  SNOMED,
  item,
  concept,
  patient,
  measured,
  allergy,
  medicine,
  PENICILLIN,
  problem,
  pair,
  dated,
} from './small-records.ts'

/** Rule, a record that breaks it, one that keeps it, and one that looks broken and is not. */
export const SECOND_CASES: readonly (readonly [
  string,
  readonly RecordItem[],
  readonly RecordItem[],
  readonly RecordItem[],
])[] = [
  [
    'R43',
    [...pair(['2093-3', 100], ['2085-9', 60], 'mg/dL'), item('a', measured('z', '18262-6', 90, 'mg/dL'))],
    [...pair(['2093-3', 190], ['2085-9', 60], 'mg/dL'), item('a', measured('z', '18262-6', 90, 'mg/dL'))],
    [...pair(['2093-3', 149], ['2085-9', 60], 'mg/dL'), item('a', measured('z', '18262-6', 90, 'mg/dL'))],
  ],
  [
    'R44',
    [item('a', measured('x', '4544-3', 20, '%')), item('a', measured('y', '718-7', 14, 'g/dL'))],
    [item('a', measured('x', '4544-3', 42, '%')), item('a', measured('y', '718-7', 14, 'g/dL'))],
    [
      item('a', measured('x', '4544-3', 20, '%')),
      item('a', measured('y', '718-7', 14, 'g/dL', '2020-09-01T10:00:00Z')),
    ],
  ],
  [
    'R48',
    pair(['1751-7', 8], ['2885-2', 7], 'g/dL'),
    pair(['1751-7', 4], ['2885-2', 7], 'g/dL'),
    [item('a', measured('x', '1751-7', 8, 'g/dL')), item('b', measured('y', '2885-2', 7, 'g/dL'))],
  ],
  [
    'R49',
    pair(['1968-7', 3], ['1975-2', 1], 'mg/dL'),
    pair(['1968-7', 1], ['1975-2', 3], 'mg/dL'),
    pair(['1968-7', 1], ['1975-2', 1], 'mg/dL'),
  ],
  [
    'R60',
    dated(measured('x', '718-7', 14, 'g/dL', '1960-01-01T00:00:00Z')),
    dated(measured('x', '718-7', 14, 'g/dL')),
    dated(measured('x', '718-7', 14, 'g/dL', '1970-01-01T00:00:00Z')),
  ],
  [
    'R61',
    [
      item('a', patient('p', { deceasedDateTime: '2019-01-01' })),
      item('a', measured('x', '718-7', 14, 'g/dL')),
    ],
    [
      item('a', patient('p', { deceasedDateTime: '2021-01-01' })),
      item('a', measured('x', '718-7', 14, 'g/dL')),
    ],
    [
      item('a', patient('p', { deceasedDateTime: '2020-04-20' })),
      item('a', measured('x', '718-7', 14, 'g/dL')),
    ],
  ],
  [
    'R62',
    dated(measured('x', '718-7', 14, 'g/dL', '2062-01-01T00:00:00Z')),
    dated(measured('x', '718-7', 14, 'g/dL')),
    dated({ resourceType: 'Appointment', id: 'x', start: '2027-01-01T00:00:00Z' }),
  ],
  [
    'R63',
    dated({ resourceType: 'Encounter', id: 'e', period: { start: '2020-02-01', end: '2020-01-01' } }),
    dated({ resourceType: 'Encounter', id: 'e', period: { start: '2020-02-01', end: '2020-02-03' } }),
    dated({ resourceType: 'Encounter', id: 'e', period: { start: '2020-02-01', end: '2020-02-01' } }),
  ],
  [
    'R64',
    dated(problem('c', { onsetDateTime: '2020-02-01', abatementDateTime: '2019-01-01' })),
    dated(problem('c', { onsetDateTime: '2020-02-01', abatementDateTime: '2021-01-01' })),
    dated(problem('c', { onsetDateTime: '2020-02-01T12:00:00Z', abatementDateTime: '2020-02-01' })),
  ],
  [
    'R64b',
    dated(problem('c', { abatementDateTime: '2021-01-01' })),
    dated(problem('c', { abatementDateTime: '2021-01-01', clinicalStatus: concept('x', 'resolved') })),
    dated(problem('c', { abatementDateTime: '2021-01-01', clinicalStatus: concept('x', 'remission') })),
  ],
  [
    'R66',
    dated(measured('x', '718-7', 14, 'g/dL', '2020-05-01T10:00:00Z', { issued: '2020-04-01T10:00:00Z' })),
    dated(measured('x', '718-7', 14, 'g/dL', '2020-05-01T10:00:00Z', { issued: '2020-05-02T10:00:00Z' })),
    dated(measured('x', '718-7', 14, 'g/dL', '2020-05-01T10:00:00Z', { issued: '2020-05-01T02:00:00Z' })),
  ],
  [
    'R80',
    [item('a', allergy('x', PENICILLIN)), item('b', medicine('m', '308192'))],
    [item('a', allergy('x', PENICILLIN)), item('b', medicine('m', '316049'))],
    [
      item('a', allergy('x', PENICILLIN, { verificationStatus: concept('x', 'refuted') })),
      item('b', medicine('m', '308192')),
    ],
  ],
  [
    'R81',
    [item('a', allergy('x', PENICILLIN)), item('b', allergy('y', concept(SNOMED, '716186003')))],
    [item('a', allergy('x', PENICILLIN))],
    [
      item('a', allergy('x', PENICILLIN, { clinicalStatus: concept('x', 'resolved') })),
      item('b', allergy('y', concept(SNOMED, '716186003'))),
    ],
  ],
  [
    'R82',
    [
      item('a', allergy('x', PENICILLIN)),
      item('b', allergy('y', PENICILLIN, { verificationStatus: concept('x', 'refuted') })),
    ],
    [item('a', allergy('x', PENICILLIN)), item('b', allergy('y', PENICILLIN))],
    [
      item('a', allergy('x', PENICILLIN)),
      item('a', allergy('y', PENICILLIN, { verificationStatus: concept('x', 'refuted') })),
    ],
  ],
  [
    'R83',
    [item('a', medicine('m', '308192')), item('b', medicine('n', '308192', 'stopped'))],
    [item('a', medicine('m', '308192')), item('b', medicine('n', '308192'))],
    [item('a', medicine('m', '308192')), item('a', medicine('n', '308192', 'stopped'))],
  ],
  [
    'R88',
    [item('a', problem('c')), item('b', problem('d', { verificationStatus: concept('x', 'refuted') }))],
    [item('a', problem('c')), item('b', problem('d'))],
    [item('a', problem('c')), item('b', problem('d', { verificationStatus: concept('x', 'provisional') }))],
  ],
  [
    'R96',
    dated({ resourceType: 'Condition', id: 'c', encounter: { reference: 'Encounter/none' } }),
    dated({ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p' } }),
    dated({
      resourceType: 'Condition',
      id: 'c',
      recorder: { reference: 'https://elsewhere.example/Practitioner/1' },
    }),
  ],
]
