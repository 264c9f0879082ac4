// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createChecker } from '#core/consistency/checker.ts'
import type { Reading, RecordItem } from '#core/consistency/facts.ts'
import type { Check, Group, Lookup, Placed, Rule } from '#core/consistency/rule.ts'
import type { Situation } from '#core/consistency/situation.ts'
import { RULES } from '#core/consistency/rules/all.ts'
import { longRecord } from './long-records.ts'
import {
  P,
  allergy,
  blood,
  concept,
  item,
  measured,
  medicine,
  problem,
  refuted,
  vaccine,
  AMOXICILLIN,
  LISINOPRIL,
  LOINC,
  PENICILLIN,
  SNOMED,
} from './small-records.ts'
import { knowledge } from '#tests/bridge-world.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')

interface Meter {
  /** How many values the rules looked at. */
  looked: number
}

/** The shipped rules, counting each value of a group that a judgement looks at, and each resource judged alone. */
function metered(meter: Meter): readonly Rule[] {
  return RULES.map((rule) => ({ ...rule, checks: rule.checks.map((one) => meteredCheck(one, meter)) }))
}

function meteredCheck(given: Check, meter: Meter): Check {
  if (given.scope === 'resource')
    return {
      ...given,
      judge: (reading: Reading, situation: Situation, lookup: Lookup) => {
        meter.looked++
        return given.judge(reading, situation, lookup)
      },
    }
  if (given.scope === 'group')
    return {
      ...given,
      judge: (group: Group<unknown>, situation: Situation) => given.judge(watched(group, meter), situation),
    }
  return {
    ...given,
    judge: (group: Group<unknown>, index: number, situation: Situation) =>
      given.judge(watched(group, meter), index, situation),
  }
}

function watched(group: Group<unknown>, meter: Meter): Group<unknown> {
  const watch = (list: readonly Placed<unknown>[]) =>
    new Proxy(list, {
      get: (target, name, receiver) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) meter.looked++
        return Reflect.get(target, name, receiver) as unknown
      },
    })
  return { key: group.key, members: watch(group.members), anchors: watch(group.anchors) }
}

/** Values looked at per resource, checking a whole record, and then per resource that is added to it. */
function costs(record: readonly RecordItem[], news: readonly RecordItem[]): { whole: number; one: number } {
  const meter = { looked: 0 }
  const checker = createChecker(knowledge, metered(meter))
  checker.update({ put: record, nowMs: NOW })
  const whole = meter.looked / record.length
  meter.looked = 0
  for (const one of news) checker.update({ put: [one], nowMs: NOW })
  return { whole, one: meter.looked / news.length }
}

const HOUR = 3_600_000
const time = (i: number) => new Date(Date.parse('2000-01-01T00:00:00Z') + i * HOUR).toISOString()
const day = (i: number) => time(i * 24).slice(0, 10)
const of = (i: number) => (i % 2 === 0 ? 'a' : 'b')

/** Records in which everything has the same code: what a careless rule would compare with everything else. */
const CROWDS: Readonly<Record<string, (i: number) => RecordItem>> = {
  'values of one analyte in two institutions': (i) =>
    item(of(i), measured(`v${i}`, '718-7', 14 + (i % 7) / 10, 'g/dL', time(i))),
  'values of one analyte with bare dates': (i) =>
    item(of(i), measured(`v${i}`, '718-7', 14 + (i % 7) / 10, 'g/dL', day(i))),
  'orders of one medicine that were stopped': (i) =>
    item(of(i), medicine(`m${i}`, AMOXICILLIN, 'stopped', { authoredOn: day(i) })),
  'active orders of one medicine in one institution': (i) =>
    item('a', medicine(`m${i}`, AMOXICILLIN, 'active', { authoredOn: day(i) })),
  'orders of one medicine that end and begin': (i) =>
    item(
      of(i),
      medicine(`m${i}`, AMOXICILLIN, 'active', {
        authoredOn: day(i),
        dispenseRequest: { validityPeriod: { end: day(i) } },
      }),
    ),
  'active orders beside no allergy': (i) =>
    item(of(i), medicine(`m${i}`, LISINOPRIL, 'active', { authoredOn: day(i) })),
  'diagnoses of one condition': (i) =>
    item(
      of(i),
      problem(`c${i}`, {
        onsetDateTime: day(i),
        recordedDate: day(i),
        category: [concept('x', 'encounter-diagnosis')],
      }),
    ),
  'refuted diagnoses of one condition': (i) =>
    item(of(i), problem(`c${i}`, { ...refuted, recordedDate: day(i) })),
  'refuted allergies to one substance': (i) =>
    item(of(i), allergy(`x${i}`, PENICILLIN, { ...refuted, recordedDate: day(i) })),
  'doses of one vaccine': (i) => ({ ...vaccine(`i${i}`, day(i * 40)), ref: `i${i}` }),
  'blood groups': (i) => blood(of(i), `b${i}`, 'A'),
  'references to one encounter': (i) =>
    item('a', {
      resourceType: 'Procedure',
      id: `p${i}`,
      encounter: { reference: 'Encounter/none' },
      subject: { reference: 'Patient/p' },
    }),
  'panels of the same minute': (i) =>
    item('a', {
      resourceType: 'Observation',
      id: `o${i}`,
      code: concept(LOINC, '85354-9'),
      effectiveDateTime: time(i),
      component: ['8480-6', '8462-4'].map((loinc, part) => ({
        code: concept(LOINC, loinc),
        valueQuantity: { value: 120 - part * 40 + (i % 5), code: 'mm[Hg]' },
      })),
    }),
  'codes that the tables do not know': (i) =>
    item(of(i), problem(`c${i}`, { code: concept(SNOMED, String(i)), recordedDate: day(i) })),
}

describe('the work of a check', () => {
  it.each(Object.entries(CROWDS))('does not grow with the record for %s', (_name, make) => {
    const [small, large] = [100, 800].map((length) => {
      const record = [P, ...Array.from({ length }, (_, i) => make(i))]
      return costs(
        record,
        Array.from({ length: 10 }, (_, i) => make(length + i)),
      )
    })
    if (!small || !large) throw new Error('two sizes')
    // A binary search takes three steps more in eight times as much; comparing with all would take 700 more.
    expect(large.whole).toBeLessThan(small.whole + 4)
    expect(large.one).toBeLessThan(small.one + 30)
    expect(large.one).toBeLessThan(150)
  })

  it('does not grow with the record for a new version of the patient', () => {
    const [small, large] = [300, 3000].map((length) => {
      const meter = { looked: 0 }
      const checker = createChecker(knowledge, metered(meter))
      const record = longRecord(length)
      const patient = record.find(({ resource }) => resource.resourceType === 'Patient') ?? P
      checker.update({ put: record, nowMs: NOW })
      meter.looked = 0
      const again = { ...patient, ref: 'again', resource: { ...patient.resource, language: 'de' } }
      checker.update({ put: [again], drop: [patient.ref], nowMs: NOW })
      return meter.looked
    })
    expect(large).toBe(small)
    expect(large).toBeLessThan(20)
  })

  it('is none when nothing is new', () => {
    const meter = { looked: 0 }
    const checker = createChecker(knowledge, metered(meter))
    const record = longRecord(300)
    checker.sync(record, NOW)
    expect(meter.looked).toBeGreaterThan(300)
    meter.looked = 0
    expect(checker.sync([...record].toReversed(), NOW + HOUR)).toEqual({ came: [], went: [] })
    expect(meter.looked).toBe(0)
  })

  it('does not grow with a history that is ten times as long', () => {
    const all = longRecord(3000)
    const news = longRecord(3060).slice(3000)
    const [small, large] = [costs(all.slice(0, 300), news), costs(all, news)]
    expect(large.whole).toBeLessThan(small.whole * 1.25)
    expect(large.one).toBeLessThan(small.one * 1.25 + 5)
  })
})
