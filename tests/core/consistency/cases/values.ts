// SPDX-License-Identifier: Apache-2.0
import { P, dated, item, measured, type Case, type Items, type Json } from '../small-records.ts'

const WEIGHT = '29463-7'
const GLUCOSE = '2345-7'
const HEMOGLOBIN = '718-7'
const TEMPERATURE = '8310-5'
const one = (loinc: string, value: number, unit: string, at?: string, more?: Json): Items =>
  dated(measured('x', loinc, value, unit, at, more))
/** A value whose unit is only spelled out, not coded. */
const spelled = (loinc: string, value: number, unit: string): Items =>
  dated(measured('x', loinc, value, '', undefined, { valueQuantity: { value, unit } }))
const bounded = (loinc: string, comparator: string, value: number, code: string): Items =>
  dated(measured('x', loinc, value, '', undefined, { valueQuantity: { value, comparator, code } }))

const CHILD = '1975-01-01T00:00:00Z'
const YOUNGER = 'limits are for adults, and the patient was younger'

export const VALUE_CASES: readonly Case[] = [
  {
    rule: 'R20',
    broken: one(WEIGHT, 7000, 'kg'),
    kept: one(WEIGHT, 70, 'kg'),
    nearly: [
      { why: 'hardly anything, but something', items: one(WEIGHT, 0.3, 'kg'), but: one(WEIGHT, 0, 'kg') },
      {
        why: 'a newborn',
        items: one(WEIGHT, 0.1, 'kg', CHILD),
        but: one(WEIGHT, 0.1, 'kg'),
        because: YOUNGER,
      },
      {
        why: 'pounds that are called pounds',
        items: one(WEIGHT, 700, '[lb_av]'),
        but: one(WEIGHT, 700, 'kg'),
      },
      { why: 'grams', items: one(WEIGHT, 70_000, 'g'), but: one(WEIGHT, 70_000, 'kg') },
      {
        why: 'fever in Fahrenheit',
        items: one(TEMPERATURE, 102.2, '[degF]'),
        but: one(TEMPERATURE, 102.2, 'Cel'),
      },
      { why: 'glucose in mmol/L', items: one(GLUCOSE, 4.9, 'mmol/L'), but: one(GLUCOSE, 4.9, 'mg/dL') },
      { why: 'HbA1c in IFCC units', items: one('4548-4', 53, 'mmol/mol'), but: one('4548-4', 53, '%') },
      { why: 'saturation as a fraction', items: one('59408-5', 0.97, '1'), but: one('59408-5', 0.97, '%') },
      { why: 'a spelling of pounds', items: spelled(WEIGHT, 700, 'lbs'), but: spelled(WEIGHT, 700, 'kgs') },
      { why: 'dialysis', items: one('2160-0', 11, 'mg/dL'), but: one('2160-0', 80, 'mg/dL') },
      {
        why: 'only a bound',
        items: bounded(GLUCOSE, '>', 3000, 'mg/dL'),
        but: one(GLUCOSE, 3000, 'mg/dL'),
        because: 'only a bound is stated, not a value',
      },
      {
        why: 'a unit that nobody knows',
        items: one(WEIGHT, 7000, 'bushels'),
        but: one(WEIGHT, 7000, 'kg'),
        because: 'unit unknown',
      },
      {
        why: 'nobody knows how old',
        items: [item('a', measured('x', WEIGHT, 7000, 'kg'))],
        but: one(WEIGHT, 7000, 'kg'),
        because: 'no birth date',
      },
      {
        why: 'about somebody else',
        items: one(WEIGHT, 7000, 'kg', undefined, { focus: [{ reference: 'Patient/mother' }] }),
        but: one(WEIGHT, 7000, 'kg', undefined, { focus: undefined }),
        because: 'no value of an adult with known limits',
      },
      {
        why: 'cancelled',
        items: one(WEIGHT, 7000, 'kg', undefined, { status: 'cancelled' }),
        but: one(WEIGHT, 7000, 'kg', undefined, { status: 'final' }),
        because: 'no value of an adult with known limits',
      },
    ],
  },
  {
    rule: 'R21',
    broken: one('8480-6', 230, 'mm[Hg]'),
    kept: one('8480-6', 120, 'mm[Hg]'),
    nearly: [
      {
        why: 'a child',
        items: one('8480-6', 65, 'mm[Hg]', CHILD),
        but: one('8480-6', 65, 'mm[Hg]'),
        because: YOUNGER,
      },
      { why: 'kilopascals', items: one('8480-6', 16, 'kPa'), but: one('8480-6', 32, 'kPa') },
      {
        why: 'older than a year of birth can tell',
        items: [
          item('a', { resourceType: 'Patient', id: 'p', birthDate: '2002' }),
          item('a', measured('x', '8480-6', 65, 'mm[Hg]')),
        ],
        but: [
          item('a', { resourceType: 'Patient', id: 'p', birthDate: '2000' }),
          item('a', measured('x', '8480-6', 65, 'mm[Hg]')),
        ],
        because: YOUNGER,
      },
      {
        why: 'institutions disagree on the birth date, and by one of them it was a child',
        items: [
          P,
          item('b', { resourceType: 'Patient', id: 'q', birthDate: '2010' }),
          item('a', measured('x', '8480-6', 230, 'mm[Hg]')),
        ],
        but: [
          P,
          item('b', { resourceType: 'Patient', id: 'q', birthDate: '1970' }),
          item('a', measured('x', '8480-6', 230, 'mm[Hg]')),
        ],
        because: YOUNGER,
      },
    ],
  },
  {
    rule: 'R22',
    broken: [item('a', measured('x', HEMOGLOBIN, -14, 'g/dL'))],
    kept: [item('a', measured('x', HEMOGLOBIN, 14, 'g/dL'))],
    nearly: [
      {
        why: 'nothing of it',
        items: [item('a', measured('x', '6690-2', 0, '10*3/uL'))],
        but: [item('a', measured('x', '6690-2', -0.1, '10*3/uL'))],
      },
      // A T-score: no analyte of the tables, and it may be below zero.
      {
        why: 'what may be negative',
        items: [item('a', measured('x', '80946-7', -3, '1'))],
        but: [item('a', measured('x', '2951-2', -3, 'mmol/L'))],
        because: 'no value of a known analyte',
      },
    ],
  },
  {
    rule: 'R24',
    broken: [item('a', measured('x', GLUCOSE, 90, 'kg'))],
    kept: [item('a', measured('x', GLUCOSE, 90, 'mg/dL'))],
    nearly: [
      {
        why: 'moles for grams',
        items: [item('a', measured('x', GLUCOSE, 5, 'mmol/L'))],
        but: [item('a', measured('x', GLUCOSE, 5, 'mmol'))],
      },
      {
        why: 'moles without a molar mass',
        items: [item('a', measured('x', HEMOGLOBIN, 9, 'mmol/L'))],
        but: [item('a', measured('x', HEMOGLOBIN, 9, 'mmol/kg'))],
      },
      {
        why: 'thousands, not kelvin',
        items: [item('a', measured('x', '6690-2', 7, 'K/uL'))],
        but: [item('a', measured('x', '6690-2', 7, 'K'))],
      },
      {
        why: 'international units of an enzyme',
        items: [item('a', measured('x', '1742-6', 20, '[iU]/L'))],
        but: [item('a', measured('x', '1742-6', 20, 'g/L'))],
      },
      {
        why: 'an annotation',
        items: [item('a', measured('x', '8867-4', 70, '{beats}/min'))],
        but: [item('a', measured('x', '8867-4', 70, '{beats}'))],
      },
      {
        why: 'a unit that nobody knows',
        items: [item('a', measured('x', GLUCOSE, 90, 'spoons'))],
        but: [item('a', measured('x', GLUCOSE, 90, 'm'))],
        because: 'unit unknown',
      },
      {
        why: 'an analyte that nobody knows',
        items: [item('a', measured('x', '72514-3', 4, 'kg'))],
        but: [item('a', measured('x', '59408-5', 4, 'kg'))],
        because: 'no value of a known analyte with a known unit',
      },
    ],
  },
  {
    rule: 'R24b',
    broken: [item('a', measured('x', HEMOGLOBIN, 14, ''))],
    kept: [item('a', measured('x', HEMOGLOBIN, 14, 'g/dL'))],
    nearly: [
      {
        why: 'a score has none',
        items: [item('a', measured('x', '72514-3', 4, ''))],
        but: [item('a', measured('x', '6301-6', 4, ''))],
        because: 'no value of a known analyte',
      },
      { why: 'in words only', items: spelled(HEMOGLOBIN, 14, 'grams'), but: spelled(HEMOGLOBIN, 14, '') },
    ],
  },
]
