// SPDX-License-Identifier: Apache-2.0
import { P, item, measured, weights, yearly, type Case, type Items, type Json } from '../small-records.ts'

const WEIGHT = '29463-7'
const HEIGHT = '8302-2'
const GLUCOSE = '2345-7'
const TEMPERATURE = '8310-5'
const YOUNGER = 'limits are for adults, and the patient was younger'
/** The last of several yearly values in another unit. */
const then = (earlier: Items, loinc: string, value: number, unit: string, more: Json = {}): Items => [
  P,
  ...earlier,
  item('a', measured('last', loinc, value, unit, '2019-05-01T10:00:00Z', more)),
]

export const SLIP_CASES: readonly Case[] = [
  {
    rule: 'R25',
    broken: [P, ...weights(75, 76, 77, 168)],
    kept: [P, ...weights(75, 76, 77, 74)],
    nearly: [
      {
        why: 'a unit that nobody knows',
        items: then(weights(75, 76, 77), WEIGHT, 168, 'bushels'),
        but: then(weights(75, 76, 77), WEIGHT, 168, 'kg'),
        because: 'unit unknown',
      },
      {
        why: 'a gain that pounds do not explain',
        items: [P, ...weights(75, 76, 77, 130)],
        but: [P, ...weights(75, 76, 77, 165)],
      },
      {
        why: 'pounds that are called pounds',
        items: then(weights(75, 76, 77), WEIGHT, 168, '[lb_av]'),
        but: then(weights(75, 76, 77), WEIGHT, 168, 'kg'),
      },
      {
        why: 'kilograms beside kilograms that are called pounds',
        items: then(weights(85, 86, 87), WEIGHT, 86, 'kg'),
        but: then(weights(85, 86, 87), WEIGHT, 86, '[lb_av]'),
      },
      {
        why: 'too few to compare with',
        items: [P, ...weights(75, 76, 168)],
        but: [P, ...weights(75, 76, 77, 168)],
        because: 'fewer than three other values of the analyte',
      },
      {
        why: 'a gain over many years',
        items: [P, ...weights(60, 66, 72, 79, 87, 96, 106, 117, 129)],
        but: [P, ...weights(60, 66, 72, 79, 87, 196, 106, 117, 129)],
      },
      {
        why: 'the others were a child',
        items: [
          item('a', { resourceType: 'Patient', id: 'p', birthDate: '1995-01-01' }),
          ...weights(31, 32, 33, 75),
        ],
        but: [
          item('a', { resourceType: 'Patient', id: 'p', birthDate: '1985-01-01' }),
          ...weights(31, 32, 33, 75),
        ],
        because: YOUNGER,
        also: ['R21'],
      },
      {
        why: 'a fever',
        items: [P, ...yearly(TEMPERATURE, 'Cel', 36.6, 36.8, 36.9, 40.1)],
        but: [P, ...yearly(TEMPERATURE, 'Cel', 36.6, 36.8, 36.9, 98.6)],
        also: ['R20'],
      },
      {
        why: 'Fahrenheit as Fahrenheit',
        items: then(yearly(TEMPERATURE, 'Cel', 36.6, 36.8, 36.9), TEMPERATURE, 98.6, '[degF]'),
        but: then(yearly(TEMPERATURE, 'Cel', 36.6, 36.8, 36.9), TEMPERATURE, 36.7, '[degF]'),
        also: ['R20'],
      },
      {
        why: 'glucose out of control',
        items: [P, ...yearly(GLUCOSE, 'mg/dL', 95, 99, 102, 590)],
        but: [P, ...yearly(GLUCOSE, 'mg/dL', 95, 99, 102, 5.5)],
        also: ['R21'],
      },
      {
        why: 'urea nitrogen that fell by illness as much as by the unit',
        items: [P, ...yearly('3094-0', 'mg/dL', 14, 14, 15, 5)],
        but: [P, ...yearly('3094-0', 'mg/dL', 5, 5, 5, 1.8)],
        also: ['R21'],
      },
      {
        why: 'height in metres',
        items: then(yearly(HEIGHT, 'cm', 170, 170, 171), HEIGHT, 1.7, 'm'),
        but: then(yearly(HEIGHT, 'cm', 170, 170, 171), HEIGHT, 1.7, 'cm'),
        also: ['R20'],
      },
      {
        why: 'a value that was entered in error',
        items: then(weights(75, 76, 77, 75), WEIGHT, 168, 'kg', { status: 'entered-in-error' }),
        but: then(weights(75, 76, 77, 75), WEIGHT, 168, 'kg', { status: 'amended' }),
      },
    ],
  },
]
