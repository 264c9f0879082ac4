// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { bloodGroupsOf } from '#core/consistency/read/blood-group.ts'
import { readItem } from '#core/consistency/facts.ts'
import { inUnitOf } from '#core/consistency/read/measurement.ts'
import { dayOf, daysBetween, isBefore, momentOf, type Moment } from '#core/consistency/read/moment.ts'
import { convert, unitOf } from '#core/consistency/read/units.ts'
import { LOINC, blood, concept } from './small-records.ts'
import { knowledge } from '#tests/bridge-world.ts'

const at = (text: string): Moment => {
  const moment = momentOf(text)
  if (!moment) throw new Error(text)
  return moment
}
const analyte = (loinc: string) => {
  const known = knowledge.analytes.get(loinc)
  if (!known) throw new Error(loinc)
  return known
}

describe('units', () => {
  // Expected values: by definition (pound, inch, degree), or mass = amount x molar mass.
  it.each([
    ['29463-7', 220.46226218, '[lb_av]', 100],
    ['29463-7', 70_000, 'g', 70],
    ['29463-7', 160, 'lbs', 72.5747792],
    ['8302-2', 70, '[in_i]', 177.8],
    ['8302-2', 1.78, 'm', 178],
    ['8302-2', 5.5, 'ft', 167.64],
    ['8310-5', 98.6, '[degF]', 37],
    ['8310-5', 310.15, 'K', 37],
    ['8310-5', 37, '°C', 37],
    ['8480-6', 16, 'kPa', 120.0102],
    ['8480-6', 120, 'mmHg', 120],
    ['2345-7', 5.5, 'mmol/L', 99.0858],
    ['2345-7', 0.99, 'g/L', 99],
    ['2160-0', 88.4, 'umol/L', 0.99996312],
    ['718-7', 140, 'g/L', 14],
    ['6690-2', 7000, '/uL', 7],
    ['6690-2', 7, '10*9/L', 7],
    ['6690-2', 7, 'K/uL', 7],
    ['777-3', 250, '10^3/uL', 250],
    ['59408-5', 0.97, '1', 97],
    ['4544-3', 0.42, '{ratio}', 42],
    ['2823-3', 4, 'meq/L', 4],
    ['2823-3', 15.6392, 'mg/dL', 4],
    ['3016-3', 2, 'uIU/mL', 2],
    ['1742-6', 20, '[iU]/L', 20],
    ['33914-3', 90, 'mL/min/1.73m2', 90],
    ['8867-4', 72, 'beats/min', 72],
    ['8867-4', 1.2, '/s', 72],
    ['39156-5', 24, 'kg/m2', 24],
    ['4548-4', 53, 'mmol/mol', 7.00044],
    ['6301-6', 2.5, '1', 2.5],
  ] as const)('of %s: %d %s are %d', (loinc, value, unit, expected) => {
    expect(inUnitOf(analyte(loinc), value, unit)).toBeCloseTo(expected, 3)
  })

  it.each([
    ['29463-7', '', 'missing'],
    ['29463-7', 'stones', 'unknown'],
    ['718-7', 'G/L', 'unknown'],
    ['29463-7', 'cm', 'of another kind'],
    ['6690-2', 'K', 'of another kind'],
    ['29463-7', 'Cel/L', 'unknown'],
    ['718-7', 'mmol/L', 'without a molar mass'],
    ['2345-7', 'mmol', 'of another kind'],
  ] as const)('of %s: "%s" is %s', (loinc, unit, gap) => {
    expect(inUnitOf(analyte(loinc), 1, unit)).toBe(gap)
  })

  it('convert there and back without loss', () => {
    const pairs = [
      ['kg', '[lb_av]'],
      ['Cel', '[degF]'],
      ['mg/dL', 'g/L'],
      ['mm[Hg]', 'kPa'],
      ['10*3/uL', '/uL'],
    ] as const
    fc.assert(
      fc.property(
        fc.constantFrom(...pairs),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        ([a, b], value) => {
          const [x, y] = [unitOf(a), unitOf(b)]
          if (!x || !y) throw new Error('known units')
          expect(convert(convert(value, x, y), y, x)).toBeCloseTo(value, 6)
        },
      ),
    )
  })

  it('never throw, whatever a source writes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9[\]{}*^./%+-]{0,20}$/)), (text) => {
        const unit = unitOf(text)
        expect(unit === null || typeof unit.kind === 'string').toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

describe('moments', () => {
  it.each([
    ['2020-05-01T10:00:00.000Z', '2020-05-01T10:00:00.001Z', true],
    ['2020-05-01T10:00:00Z', '2020-05-01T10:00:00.500Z', false],
    ['2020-05-01T12:00:00+02:00', '2020-05-01T11:00:00+00:00', true],
    ['2020-05-01T23:00:00-05:00', '2020-05-02', false],
    ['2020-05-01T23:00:00-05:00', '2020-05-04', true],
    ['2020-05-01', '2020-05-02', true],
    ['2020-05-01', '2020-05-01', false],
    ['2020-05', '2020-05-31', false],
    ['2020-05', '2020-06-01', true],
    ['2020', '2020-12-31', false],
    ['2019', '2020', true],
    ['2019-12-31T23:59:59Z', '2020', false],
    ['2020-05-01T10:00', '2020-05-01T20:00:00Z', false],
  ])('%s is before %s: %s', (a, b, expected) => {
    expect(isBefore(at(a), at(b))).toBe(expected)
    expect(isBefore(at(b), at(a))).toBe(false)
  })

  it.each([
    '',
    '20',
    '2020-5-1',
    'yesterday',
    '2020-05-01T',
    '2020-05-01 10:00',
    '10:00:00',
    7,
    null,
    undefined,
    {},
  ])('%j is none', (value) => {
    expect(momentOf(value)).toBeNull()
  })

  it('hold every instant that their text may mean', () => {
    const instants = fc.date({
      min: new Date('1900-01-01'),
      max: new Date('2100-01-01'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(
        instants,
        fc.constantFrom(4, 7, 10),
        fc.integer({ min: -12, max: 14 }),
        (instant, length, zone) => {
          // What somebody in a zone writes down of an instant.
          const local = new Date(instant.getTime() + zone * 3_600_000).toISOString().slice(0, length)
          const { from, to } = at(local)
          expect(from <= instant.getTime() && instant.getTime() <= to).toBe(true)
        },
      ),
    )
  })

  it('are before one another in at most one way, and never before themselves', () => {
    const texts = fc.constantFrom(
      '2020',
      '2020-05',
      '2020-05-01',
      '2020-05-01T10:00:00Z',
      '2020-05-01T10:00:00.000+02:00',
      '2020-04-30',
      '2019',
      '2021-01',
    )
    fc.assert(
      fc.property(texts, texts, texts, (a, b, c) => {
        expect(isBefore(at(a), at(a))).toBe(false)
        expect(isBefore(at(a), at(b)) && isBefore(at(b), at(a))).toBe(false)
        const exact = [a, b, c].every((text) => at(text).exact) || [a, b, c].every((text) => !at(text).exact)
        if (exact && isBefore(at(a), at(b)) && isBefore(at(b), at(c)))
          expect(isBefore(at(a), at(c))).toBe(true)
      }),
    )
  })

  it('are on the day that was written, however the clock stood elsewhere', () => {
    expect(['2020-05-01T23:30:00-05:00', '2020-05-01', '2020-05'].map((text) => dayOf(at(text)))).toEqual([
      '2020-05-01',
      '2020-05-01',
      null,
    ])
    expect([daysBetween('2020-02-28', '2020-03-01'), daysBetween('2020-03-01', '2020-02-28')]).toEqual([2, 2])
  })
})

describe('blood groups', () => {
  const read = (text: string, loinc = '882-1') =>
    bloodGroupsOf(readItem(blood('a', 'x', text, {}, loinc), knowledge), knowledge)[0]?.value

  it.each([
    ['A', { abo: 'A' }],
    ['AB', { abo: 'AB' }],
    ['o', { abo: 'O' }],
    ['Group B', { abo: 'B' }],
    ['Blood group A (finding)', { abo: 'A' }],
    ['O+', { abo: 'O', rh: 'Rh positive' }],
    ['A Neg', { abo: 'A', rh: 'Rh negative' }],
    ['Blood group AB Rh(D) positive (finding)', { abo: 'AB', rh: 'Rh positive' }],
    ['O Rh negative', { abo: 'O', rh: 'Rh negative' }],
    ['Rh positive', { rh: 'Rh positive' }],
    ['positive', { rh: 'Rh positive' }],
  ])('are understood: %s', (text, expected) => {
    expect(read(text)).toEqual(expected)
  })

  it.each(['', 'A or B', 'see note', 'a sample was lost', 'AA', 'not A', 'A1B?', 'unknown'])(
    'are not guessed: %j',
    (text) => {
      expect(read(text)).toBeNull()
    },
  )

  it('are not understood when text and code say different things', () => {
    const both = { valueCodeableConcept: { text: 'A', coding: [{ display: 'Group B', code: 'x' }] } }
    const [result] = bloodGroupsOf(readItem(blood('a', 'x', '', both, '883-9'), knowledge), knowledge)
    expect(result?.value).toBeNull()
  })

  it('are read from the components of a panel', () => {
    const part = (loinc: string, text: string) => ({ code: concept(LOINC, loinc), valueString: text })
    const panel = {
      component: [part('883-9', 'B'), part('10331-7', 'negative'), part('718-7', 'A')],
      valueCodeableConcept: undefined,
    }
    const results = bloodGroupsOf(readItem(blood('a', 'x', '', panel), knowledge), knowledge)
    expect(results).toEqual([
      { pointer: '/component/0/valueString', value: { abo: 'B' } },
      { pointer: '/component/1/valueString', value: { rh: 'Rh negative' } },
    ])
  })

  it('say of Rh nothing under a code for ABO, and the other way round', () => {
    expect([read('O+', '883-9'), read('O+', '10331-7')]).toEqual([{ abo: 'O' }, { rh: 'Rh positive' }])
  })
})
