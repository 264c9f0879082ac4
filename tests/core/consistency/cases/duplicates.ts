// SPDX-License-Identifier: Apache-2.0
import { item, measured, type Case, type Json } from '../small-records.ts'

const T = '2020-05-01T10:00:00Z'
const hemoglobin = (source: string, id: string, value: number, at = T, more: Json = {}) =>
  item(source, measured(id, '718-7', value, 'g/dL', at, more))
const cholesterol = (source: string, id: string, value: number, unit: string, at = T, more: Json = {}) =>
  item(source, measured(id, '2093-3', value, unit, at, more))

export const DUPLICATE_CASES: readonly Case[] = [
  {
    rule: 'R11',
    broken: [hemoglobin('a', 'x', 14), hemoglobin('a', 'y', 14)],
    kept: [hemoglobin('a', 'x', 14), hemoglobin('a', 'y', 15)],
    nearly: [
      {
        why: 'a day later',
        items: [hemoglobin('a', 'x', 14), hemoglobin('a', 'y', 14, '2020-05-02T10:00:00Z')],
        but: [hemoglobin('a', 'x', 14), hemoglobin('a', 'y', 14)],
      },
      {
        why: 'only a date',
        items: [hemoglobin('a', 'x', 14, '2020-05-01'), hemoglobin('a', 'y', 14, '2020-05-01')],
        but: [hemoglobin('a', 'x', 14), hemoglobin('a', 'y', 14)],
        because: 'only a date, on which a value may recur',
      },
      {
        why: 'the other arm',
        items: [
          hemoglobin('a', 'x', 14, T, { bodySite: { text: 'left' } }),
          hemoglobin('a', 'y', 14, T, { bodySite: { text: 'right' } }),
        ],
        but: [
          hemoglobin('a', 'x', 14, T, { bodySite: { text: 'left' } }),
          hemoglobin('a', 'y', 14, T, { bodySite: { text: 'left' } }),
        ],
      },
      {
        why: 'another performer',
        items: [
          hemoglobin('a', 'x', 14, T, { performer: [{ display: 'one' }] }),
          hemoglobin('a', 'y', 14, T, { performer: [{ display: 'two' }] }),
        ],
        but: [
          hemoglobin('a', 'x', 14, T, { performer: [{ display: 'one' }] }),
          hemoglobin('a', 'y', 14, T, { performer: [{ display: 'one' }] }),
        ],
      },
      {
        why: 'another unit',
        items: [hemoglobin('a', 'x', 14), item('a', measured('y', '718-7', 14, 'g/L'))],
        but: [hemoglobin('a', 'x', 14), item('a', measured('y', '718-7', 14, 'g/dL'))],
      },
      {
        why: 'another institution',
        items: [hemoglobin('a', 'x', 14), hemoglobin('b', 'y', 14.7)],
        but: [hemoglobin('a', 'x', 14), hemoglobin('a', 'y', 14)],
      },
      {
        why: 'one was cancelled',
        items: [hemoglobin('a', 'x', 14), hemoglobin('a', 'y', 14, T, { status: 'cancelled' })],
        but: [hemoglobin('a', 'x', 14), hemoglobin('a', 'y', 14, T, { status: 'final' })],
      },
    ],
  },
  {
    rule: 'R12',
    broken: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 4.66, 'mmol/L')],
    kept: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 6, 'mmol/L')],
    nearly: [
      {
        why: 'one more than the other, in another spelling of the unit',
        items: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 181, 'MG/DL')],
        but: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 180.4, 'MG/DL')],
      },
      {
        why: 'only a date, and another value',
        items: [hemoglobin('a', 'x', 14, '2020-05-01'), hemoglobin('b', 'y', 15, T)],
        but: [hemoglobin('a', 'x', 14, '2020-05-01'), hemoglobin('b', 'y', 14, T)],
      },
      {
        why: 'one institution alone',
        items: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('a', 'y', 4.66, 'mmol/L')],
        but: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 4.66, 'mmol/L')],
        because: 'no dated values of two institutions',
      },
      {
        why: 'a week later',
        items: [
          cholesterol('a', 'x', 180, 'mg/dL'),
          cholesterol('b', 'y', 180, 'mg/dL', '2020-05-09T10:00:00Z'),
        ],
        but: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 180, 'mg/dL')],
      },
      {
        why: 'an hour later',
        items: [
          cholesterol('a', 'x', 180, 'mg/dL'),
          cholesterol('b', 'y', 180, 'mg/dL', '2020-05-01T11:00:00Z'),
        ],
        but: [
          cholesterol('a', 'x', 180, 'mg/dL'),
          cholesterol('b', 'y', 180, 'mg/dL', '2020-05-01T11:00:00+01:00'),
        ],
      },
      {
        why: 'the number of another unit',
        items: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 180, 'mmol/L')],
        but: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 180, 'mg/dL')],
      },
      {
        why: 'one more than the other',
        items: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 181, 'mg/dL')],
        but: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 180.4, 'mg/dL')],
      },
      {
        why: 'other seconds',
        items: [
          hemoglobin('a', 'x', 14, '2020-05-01T10:00:13Z'),
          hemoglobin('b', 'y', 14, '2020-05-01T10:00:51Z'),
        ],
        but: [
          hemoglobin('a', 'x', 14, '2020-05-01T10:00:13Z'),
          hemoglobin('b', 'y', 14, '2020-05-01T10:00:00Z'),
        ],
      },
      {
        why: 'another analyte',
        items: [cholesterol('a', 'x', 180, 'mg/dL'), item('b', measured('y', '2085-9', 180, 'mg/dL'))],
        but: [cholesterol('a', 'x', 180, 'mg/dL'), item('b', measured('y', '2093-3', 180, 'mg/dL'))],
      },
      {
        why: 'only a date, and two values that day',
        items: [
          hemoglobin('a', 'x', 14, '2020-05-01'),
          hemoglobin('b', 'y', 14, T),
          hemoglobin('b', 'z', 11, '2020-05-01T16:00:00Z'),
        ],
        but: [hemoglobin('a', 'x', 14, '2020-05-01'), hemoglobin('b', 'y', 14, T)],
        because: 'only a date, with several values that day',
      },
      {
        why: 'only a date, of another day',
        items: [hemoglobin('a', 'x', 14, '2020-05-02'), hemoglobin('b', 'y', 14, T)],
        but: [hemoglobin('a', 'x', 14, '2020-05-01'), hemoglobin('b', 'y', 14, T)],
      },
      {
        why: 'only a month',
        items: [hemoglobin('a', 'x', 14, '2020-05'), hemoglobin('b', 'y', 14, T)],
        but: [hemoglobin('a', 'x', 14, '2020-05-01'), hemoglobin('b', 'y', 14, T)],
        because: 'no day of measurement',
      },
      {
        why: 'a unit that nobody knows',
        items: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 180, 'points')],
        but: [cholesterol('a', 'x', 180, 'points'), cholesterol('b', 'y', 180, 'points')],
      },
      {
        why: 'a bound',
        items: [
          cholesterol('a', 'x', 180, 'mg/dL'),
          cholesterol('b', 'y', 180, '', T, {
            valueQuantity: { value: 180, comparator: '<', code: 'mg/dL' },
          }),
        ],
        but: [cholesterol('a', 'x', 180, 'mg/dL'), cholesterol('b', 'y', 180, 'mg/dL')],
      },
    ],
  },
]
