// SPDX-License-Identifier: Apache-2.0
import { item, measured, pressure, together, type Case, type Items, type Json } from '../small-records.ts'

const [BMI, WEIGHT, HEIGHT] = ['39156-5', '29463-7', '8302-2']
const body = (bmi: number, kg: number, cm: number): Items => [
  item('a', measured('b', BMI, bmi, 'kg/m2')),
  item('a', measured('w', WEIGHT, kg, 'kg')),
  item('a', measured('h', HEIGHT, cm, 'cm')),
]
const LATER = '2020-09-01T10:00:00Z'
const blood = (hematocrit: number, hemoglobin: number, at?: string, source = 'a', more: Json = {}): Items => [
  item('a', measured('x', '4544-3', hematocrit, '%')),
  item(source, measured('y', '718-7', hemoglobin, 'g/dL', at, more)),
]
const onDay = { effectiveDateTime: '2020-05-01' }
const NOT_TOGETHER = 'the values are not there together'

export const COMPUTED_CASES: readonly Case[] = [
  {
    rule: 'R40',
    broken: body(35, 80, 180),
    kept: body(24.7, 80, 180),
    nearly: [
      { why: 'rounding', items: body(25.3, 80, 180), but: body(26.3, 80, 180) },
      {
        why: 'pounds and inches',
        items: [
          item('a', measured('b', BMI, 24.7, 'kg/m2')),
          item('a', measured('w', WEIGHT, 176.4, '[lb_av]')),
          item('a', measured('h', HEIGHT, 70.87, '[in_i]')),
        ],
        but: [
          item('a', measured('b', BMI, 24.7, 'kg/m2')),
          item('a', measured('w', WEIGHT, 176.4, 'kg')),
          item('a', measured('h', HEIGHT, 70.87, '[in_i]')),
        ],
      },
      {
        why: 'two weights at the same time',
        items: [...body(35, 80, 180), item('a', measured('w2', WEIGHT, 113, 'kg'))],
        but: [...body(35, 80, 180), item('a', measured('w2', WEIGHT, 80, 'kg'))],
        because: 'several values of one analyte at the same time',
        also: ['R11'],
      },
      {
        why: 'a unit that nobody knows',
        items: [...body(35, 80, 180).slice(1), item('a', measured('b', BMI, 35, 'points'))],
        but: body(35, 80, 180),
        because: 'unit unknown',
      },
    ],
  },
  {
    rule: 'R41',
    broken: [pressure('bp', 80, 120)],
    kept: [pressure('bp', 120, 80)],
    nearly: [
      { why: 'a narrow pressure', items: [pressure('bp', 81, 80)], but: [pressure('bp', 80, 80)] },
      {
        why: 'lying and standing at the same time',
        items: [pressure('lying', 130, 85), pressure('standing', 84, 60)],
        but: [pressure('lying', 130, 85), pressure('standing', 60, 84)],
      },
      {
        why: 'kilopascals',
        items: [
          item('a', measured('s', '8480-6', 16, 'kPa')),
          item('a', measured('d', '8462-4', 80, 'mm[Hg]')),
        ],
        but: [
          item('a', measured('s', '8480-6', 16, 'mm[Hg]')),
          item('a', measured('d', '8462-4', 80, 'mm[Hg]')),
        ],
      },
    ],
  },
  {
    rule: 'R43',
    broken: together('mg/dL', ['2093-3', 100], ['2085-9', 60], ['18262-6', 90]),
    kept: together('mg/dL', ['2093-3', 190], ['2085-9', 60], ['18262-6', 90]),
    nearly: [
      {
        why: 'what direct assays differ by',
        items: together('mg/dL', ['2093-3', 140], ['2085-9', 60], ['18262-6', 90]),
        but: together('mg/dL', ['2093-3', 135], ['2085-9', 60], ['18262-6', 90]),
      },
      {
        why: 'the total in mmol/L',
        items: [
          ...together('mg/dL', ['2085-9', 60], ['13457-7', 90]),
          item('a', measured('t', '2093-3', 4.9, 'mmol/L')),
        ],
        but: [
          ...together('mg/dL', ['2085-9', 60], ['13457-7', 90]),
          item('a', measured('t', '2093-3', 2.9, 'mmol/L')),
        ],
      },
    ],
  },
  {
    rule: 'R44',
    broken: blood(20, 14),
    kept: blood(42, 14),
    nearly: [
      { why: 'another sample', items: blood(20, 14, LATER), but: blood(20, 14), because: NOT_TOGETHER },
      {
        why: 'another institution',
        items: blood(20, 14, undefined, 'b'),
        but: blood(20, 14, undefined, 'a'),
        because: NOT_TOGETHER,
      },
      {
        why: 'a date may cover several samples',
        items: [
          item('a', measured('x', '4544-3', 20, '%', undefined, onDay)),
          item('a', measured('y', '718-7', 14, 'g/dL', undefined, onDay)),
        ],
        but: blood(20, 14),
        because: 'only a date, which may cover several samples',
      },
      {
        why: 'a fraction',
        items: [item('a', measured('x', '4544-3', 0.42, '1')), item('a', measured('y', '718-7', 140, 'g/L'))],
        but: [item('a', measured('x', '4544-3', 0.2, '1')), item('a', measured('y', '718-7', 140, 'g/L'))],
      },
      { why: 'pale cells', items: blood(28, 14), but: blood(26, 14) },
    ],
  },
  {
    rule: 'R48',
    broken: together('g/dL', ['1751-7', 8], ['2885-2', 7]),
    kept: together('g/dL', ['1751-7', 4], ['2885-2', 7]),
    nearly: [
      {
        why: 'grams per litre',
        items: [item('a', measured('x', '1751-7', 40, 'g/L')), item('a', measured('y', '2885-2', 7, 'g/dL'))],
        but: [item('a', measured('x', '1751-7', 40, 'g/dL')), item('a', measured('y', '2885-2', 7, 'g/dL'))],
      },
      {
        why: 'another institution',
        items: [item('a', measured('x', '1751-7', 8, 'g/dL')), item('b', measured('y', '2885-2', 7, 'g/dL'))],
        but: [item('a', measured('x', '1751-7', 8, 'g/dL')), item('a', measured('y', '2885-2', 7, 'g/dL'))],
        because: NOT_TOGETHER,
      },
    ],
  },
  {
    rule: 'R49',
    broken: together('mg/dL', ['1968-7', 3], ['1975-2', 1]),
    kept: together('mg/dL', ['1968-7', 1], ['1975-2', 3]),
    nearly: [
      {
        why: 'two assays near zero',
        items: together('mg/dL', ['1968-7', 0.3], ['1975-2', 0.2]),
        but: together('mg/dL', ['1968-7', 0.4], ['1975-2', 0.2]),
      },
      {
        why: 'micromoles',
        items: [
          item('a', measured('x', '1968-7', 3, 'umol/L')),
          item('a', measured('y', '1975-2', 1, 'mg/dL')),
        ],
        but: [item('a', measured('x', '1968-7', 3, 'mg/dL')), item('a', measured('y', '1975-2', 1, 'mg/dL'))],
      },
      {
        why: 'only a bound',
        items: [
          item(
            'a',
            measured('x', '1968-7', 3, '', undefined, {
              valueQuantity: { value: 3, comparator: '<', code: 'mg/dL' },
            }),
          ),
          item('a', measured('y', '1975-2', 1, 'mg/dL')),
        ],
        but: together('mg/dL', ['1968-7', 3], ['1975-2', 1]),
        because: 'only a bound is stated, not a value',
      },
    ],
  },
]
