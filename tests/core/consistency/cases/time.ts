// SPDX-License-Identifier: Apache-2.0
import {
  P,
  dated,
  item,
  measured,
  patient,
  problem,
  refuted,
  type Case,
  type Items,
  type Json,
} from '../small-records.ts'

const result = (at: string, more: Json = {}): Json => measured('x', '718-7', 14, 'g/dL', at, more)
const died = (deceasedDateTime: string, at: string, more: Json = {}): Items => [
  item('a', patient('p', { deceasedDateTime })),
  item('a', result(at, more)),
]
const stay = (start: string, end: string, more: Json = {}): Items =>
  dated({ resourceType: 'Encounter', id: 'e', status: 'finished', period: { start, end }, ...more })
const issued = (at: string, time: string): Items => dated(result(at, { issued: time }))

export const TIME_CASES: readonly Case[] = [
  {
    rule: 'R60',
    broken: dated(result('1960-01-01T00:00:00Z')),
    kept: dated(result('2020-05-01T10:00:00Z')),
    nearly: [
      {
        why: 'born that day, in another zone',
        items: dated(result('1969-12-31T20:00:00Z')),
        but: dated(result('1968-12-31T20:00:00Z')),
      },
      {
        why: 'an ultrasound before birth',
        items: dated(result('1969-08-01T00:00:00Z')),
        but: dated(result('1968-08-01T00:00:00Z')),
        because: 'may be from before birth',
      },
      {
        why: 'only the year of birth is known',
        items: [item('a', patient('p', { birthDate: '1970' })), item('a', result('1970'))],
        but: [item('a', patient('p', { birthDate: '1972' })), item('a', result('1970'))],
      },
      {
        why: 'institutions disagree on the birth date',
        items: [
          P,
          item('b', { resourceType: 'Patient', id: 'q', birthDate: '1970-01-01' }),
          item('a', result('1970-06-01')),
        ],
        but: [
          item('a', { resourceType: 'Patient', id: 'p', birthDate: '1975-01-01' }),
          item('b', { resourceType: 'Patient', id: 'q', birthDate: '1975-01-01' }),
          item('a', result('1970-06-01')),
        ],
      },
      {
        why: 'it was refuted',
        items: [
          P,
          item('a', result('2020-01-01')),
          item('a', problem('c', { onsetDateTime: '1960-01-01', ...refuted })),
        ],
        but: [P, item('a', result('2020-01-01')), item('a', problem('c', { onsetDateTime: '1960-01-01' }))],
      },
      {
        why: 'nobody knows when the patient was born',
        items: [item('a', result('1960-01-01'))],
        but: dated(result('1960-01-01')),
        because: 'no birth date',
      },
    ],
  },
  {
    rule: 'R61',
    broken: died('2019-01-01', '2020-05-01T10:00:00Z'),
    kept: died('2021-01-01', '2020-05-01T10:00:00Z'),
    nearly: [
      {
        why: 'a result that came after',
        items: died('2020-04-20', '2020-05-01T10:00:00Z'),
        but: died('2020-02-20', '2020-05-01T10:00:00Z'),
      },
      {
        why: 'died some time that year',
        items: died('2020', '2020-12-30T10:00:00Z'),
        but: died('2019', '2020-12-30T10:00:00Z'),
      },
      {
        why: 'a visit that was cancelled',
        items: [
          ...died('2019-01-01', '2018-05-01'),
          item('a', {
            resourceType: 'Encounter',
            id: 'e',
            status: 'cancelled',
            period: { start: '2020-05-01' },
          }),
        ],
        but: [
          ...died('2019-01-01', '2018-05-01'),
          item('a', {
            resourceType: 'Encounter',
            id: 'e',
            status: 'finished',
            period: { start: '2020-05-01' },
          }),
        ],
      },
      {
        why: 'the date is unknown',
        items: [item('a', patient('p', { deceasedBoolean: true })), item('a', result('2020-05-01'))],
        but: died('2019-01-01', '2020-05-01'),
        because: 'no date of death',
      },
    ],
  },
  {
    rule: 'R62',
    broken: dated(result('2062-01-01T00:00:00Z')),
    kept: dated(result('2020-05-01T10:00:00Z')),
    nearly: [
      { why: 'later today, somewhere', items: dated(result('2026-11-25')), but: dated(result('2026-11-27')) },
      {
        why: 'an appointment',
        items: dated({ resourceType: 'Appointment', id: 'x', start: '2027-01-01T00:00:00Z' }),
        but: dated({
          resourceType: 'Encounter',
          id: 'x',
          status: 'finished',
          period: { start: '2027-01-01T00:00:00Z' },
        }),
        because: 'no event with a date',
      },
      {
        why: 'a visit that is planned',
        items: dated({
          resourceType: 'Encounter',
          id: 'x',
          status: 'planned',
          period: { start: '2027-01-01T00:00:00Z' },
        }),
        but: dated({
          resourceType: 'Encounter',
          id: 'x',
          status: 'in-progress',
          period: { start: '2027-01-01T00:00:00Z' },
        }),
        because: 'no event with a date',
      },
      ...[
        ['Procedure', 'preparation', 'performedDateTime'],
        ['Observation', 'registered', 'effectiveDateTime'],
        ['DiagnosticReport', 'registered', 'effectiveDateTime'],
        ['Encounter', 'cancelled', 'period'],
      ].map(([resourceType = '', state = '', element = '']) => {
        const time = element === 'period' ? { start: '2027-01-01' } : '2027-01-01'
        return {
          why: `a ${resourceType} that is ${state}`,
          items: dated({ resourceType, id: 'x', status: state, [element]: time }),
          but: dated({ resourceType, id: 'x', status: 'final', [element]: time }),
          because: 'no event with a date',
        }
      }),
      {
        why: 'a procedure that was not done',
        items: dated({
          resourceType: 'Procedure',
          id: 'x',
          status: 'not-done',
          performedDateTime: '2027-01-01',
        }),
        but: dated({
          resourceType: 'Procedure',
          id: 'x',
          status: 'completed',
          performedDateTime: '2027-01-01',
        }),
        because: 'no event with a date',
      },
      { why: 'this year', items: dated(result('2026')), but: dated(result('2027')) },
    ],
  },
  {
    rule: 'R63',
    broken: stay('2020-02-01', '2020-01-01'),
    kept: stay('2020-02-01', '2020-02-03'),
    nearly: [
      { why: 'one day', items: stay('2020-02-01', '2020-02-01'), but: stay('2020-02-03', '2020-02-01') },
      {
        why: 'a date that ends with its day',
        items: stay('2020-02-01T12:00:00Z', '2020-02-01'),
        but: stay('2020-02-03T12:00:00Z', '2020-02-01'),
      },
      {
        why: 'zones',
        items: stay('2020-02-01T12:00:00+02:00', '2020-02-01T11:00:00+00:00'),
        but: stay('2020-02-01T12:00:00+00:00', '2020-02-01T11:00:00+00:00'),
      },
      { why: 'a month', items: stay('2020-02-20', '2020-02'), but: stay('2020-03-20', '2020-02') },
      {
        why: 'no end yet',
        items: dated({ resourceType: 'Encounter', id: 'e', period: { start: '2020-02-01' } }),
        but: stay('2020-02-01', '2019-02-01'),
        because: 'no period with start and end',
      },
    ],
  },
  {
    rule: 'R66',
    broken: issued('2020-05-01T10:00:00Z', '2020-04-01T10:00:00Z'),
    kept: issued('2020-05-01T10:00:00Z', '2020-05-02T10:00:00Z'),
    nearly: [
      {
        why: 'a clock that is hours off',
        items: issued('2020-05-01T10:00:00Z', '2020-05-01T02:00:00Z'),
        but: issued('2020-05-01T10:00:00Z', '2020-04-29T02:00:00Z'),
      },
      {
        why: 'a sample of that month',
        items: issued('2020-05', '2020-05-02T10:00:00Z'),
        but: issued('2020-06', '2020-05-02T10:00:00Z'),
      },
      {
        why: 'a sample that was begun before',
        items: dated({
          ...result('x'),
          effectiveDateTime: undefined,
          effectivePeriod: { start: '2020-05-01T10:00:00Z', end: '2020-05-04T10:00:00Z' },
          issued: '2020-05-03T10:00:00Z',
        }),
        but: dated({
          ...result('x'),
          effectiveDateTime: undefined,
          effectivePeriod: { start: '2020-05-11T10:00:00Z', end: '2020-05-14T10:00:00Z' },
          issued: '2020-05-03T10:00:00Z',
        }),
      },
    ],
  },
]
