// SPDX-License-Identifier: Apache-2.0
import type { RecordItem } from '#core/consistency/facts.ts'
import {
  item,
  patient,
  measured,
  weights,
  medicine,
  problem,
  P,
  B,
  bmi,
  pressure,
  dated,
  vaccine,
  blood,
} from './small-records.ts'

/** Rule, a record that breaks it, one that keeps it, and one that looks broken and is not. */
export const FIRST_CASES: readonly (readonly [
  string,
  readonly RecordItem[],
  readonly RecordItem[],
  readonly RecordItem[],
])[] = [
  [
    'R01',
    dated({ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/other' } }),
    dated({ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p' } }),
    [P, B, item('b', { resourceType: 'Condition', id: 'c', subject: { reference: 'urn:uuid:q' } })],
  ],
  [
    'R03a',
    [P, item('b', patient('q', { birthDate: '1971-01-01' }))],
    [P, B],
    [P, item('a', patient('p2', { birthDate: '1971-01-01' }))],
  ],
  [
    'R03b',
    [P, item('b', patient('q', { gender: 'male' }))],
    [P, B],
    [P, item('b', { resourceType: 'Patient', id: 'q' })],
  ],
  [
    'R04',
    [blood('a', 'x', 'A'), blood('b', 'y', 'B')],
    [blood('a', 'x', 'A'), blood('b', 'y', 'A')],
    [blood('a', 'x', 'A'), item('b', { ...blood('b', 'y', 'B').resource, status: 'entered-in-error' })],
  ],
  [
    'R11',
    [item('a', measured('x', '718-7', 14, 'g/dL')), item('a', measured('y', '718-7', 14, 'g/dL'))],
    [item('a', measured('x', '718-7', 14, 'g/dL')), item('a', measured('y', '718-7', 15, 'g/dL'))],
    [
      item('a', measured('x', '718-7', 14, 'g/dL')),
      item('a', measured('y', '718-7', 14, 'g/dL', '2020-05-02T10:00:00Z')),
    ],
  ],
  [
    'R12',
    [item('a', measured('x', '2093-3', 180, 'mg/dL')), item('b', measured('y', '2093-3', 4.66, 'mmol/L'))],
    [item('a', measured('x', '2093-3', 180, 'mg/dL')), item('b', measured('y', '2093-3', 6, 'mmol/L'))],
    [
      item('a', measured('x', '2093-3', 180, 'mg/dL')),
      item('b', measured('y', '2093-3', 180, 'mg/dL', '2020-05-09T10:00:00Z')),
    ],
  ],
  [
    'R13',
    [item('a', medicine('m', '308182')), item('b', medicine('n', '308192'))],
    [item('a', medicine('m', '308182')), item('b', medicine('n', '316049'))],
    [item('a', medicine('m', '308182')), item('b', medicine('n', '308192', 'stopped'))],
  ],
  [
    'R14',
    [
      item('a', problem('c', { onsetDateTime: '2010-01-01' })),
      item('a', problem('d', { onsetDateTime: '2012-01-01' })),
    ],
    [item('a', problem('c', { onsetDateTime: '2010-01-01' }))],
    [
      item('a', problem('c', { onsetDateTime: '2010-01-01' })),
      item('b', problem('d', { onsetDateTime: '2012-01-01' })),
    ],
  ],
  [
    'R15',
    [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-03')],
    [vaccine('i', '2020-10-01'), vaccine('j', '2021-10-03')],
    [vaccine('i', '2020-10-01'), item('a', { ...vaccine('j', '2020-10-03').resource, status: 'not-done' })],
  ],
  [
    'R20',
    [P, item('a', measured('x', '29463-7', 7000, 'kg'))],
    [P, item('a', measured('x', '29463-7', 70, 'kg'))],
    [P, item('a', measured('x', '29463-7', 3, 'kg', '1970-01-02T00:00:00Z'))],
  ],
  [
    'R21',
    [P, item('a', measured('x', '8480-6', 230, 'mm[Hg]'))],
    [P, item('a', measured('x', '8480-6', 120, 'mm[Hg]'))],
    [P, item('a', measured('x', '8480-6', 90, 'mm[Hg]', '1975-01-01T00:00:00Z'))],
  ],
  [
    'R22',
    [item('a', measured('x', '718-7', -14, 'g/dL'))],
    [item('a', measured('x', '718-7', 14, 'g/dL'))],
    [item('a', measured('x', '6690-2', 0, '10*3/uL'))],
  ],
  [
    'R24',
    [item('a', measured('x', '718-7', 14, ''))],
    [item('a', measured('x', '718-7', 14, 'g/dL'))],
    [item('a', measured('x', '72514-3', 4, ''))],
  ],
  [
    'R25',
    [P, ...weights(75, 76, 77, 168)],
    [P, ...weights(75, 76, 77, 74)],
    [P, ...weights(75, 76, 77, 130)],
  ],
  ['R40', bmi(35), bmi(24.7), bmi(25.3)],
  ['R41', [pressure(80, 120)], [pressure(120, 80)], [pressure(81, 80)]],
]
