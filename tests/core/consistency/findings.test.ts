// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { checkRecord } from '#core/consistency/check.ts'
import { createChecker } from '#core/consistency/checker.ts'
import { settledBy } from '#core/consistency/withdraw.ts'
import { ALL_CASES } from './cases/all.ts'
import {
  AMOXICILLIN,
  P,
  PENICILLIN,
  RXNORM,
  allergy,
  concept,
  item,
  measured,
  medicine,
  patient,
  weights,
  type Items,
  type Json,
} from './small-records.ts'
import { knowledge } from '#tests/bridge-world.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const found = (items: Items, isPartial = false) => checkRecord(items, knowledge, NOW, isPartial)
const open = (items: Items) => ({ items, isSealed: () => false })

/** Reads a cited value again, by RFC 6901 and by what FHIR's types show, and not by the code under test. */
function readAgain(resource: unknown, pointer: string): string {
  let value = resource as Json
  for (const step of pointer.split('/').slice(1)) value = value[step] as Json
  if (typeof value !== 'object') return String(value)
  const { text, coding, reference, comparator } = value as {
    text?: string
    coding?: Json[]
    reference?: string
    comparator?: string
  }
  if ('value' in value)
    return [comparator, value['value'], value['code'] ?? value['unit']]
      .filter((part) => part !== undefined && part !== '')
      .join(' ')
  return String(reference ?? text ?? coding?.[0]?.['display'])
}

describe('findings', () => {
  it('cite values that can be read again where they point', () => {
    const cases = ALL_CASES.flatMap(({ broken, nearly }) => [broken, ...nearly.map(({ but }) => but)])
    let cited = 0
    for (const items of cases) {
      for (const evidence of found(items).findings.flatMap((finding) => finding.evidence)) {
        const source = items.find(({ ref }) => ref === evidence.ref)
        expect([evidence.pointer, readAgain(source?.resource, evidence.pointer)]).toEqual([
          evidence.pointer,
          evidence.value,
        ])
        cited++
      }
    }
    expect(cited).toBeGreaterThan(300)
  })

  it('cite and tell only what is in their own compartment', () => {
    const items = [
      item('a', allergy('x', PENICILLIN), 'mental-health'),
      item('b', medicine('m', AMOXICILLIN)),
    ]
    const { findings } = found(items)
    expect(findings.map(({ compartment }) => compartment).toSorted()).toEqual(['general', 'mental-health'])
    expect(findings.every(({ isOneSided }) => isOneSided)).toBe(true)
    for (const finding of findings) {
      expect(new Set(finding.evidence.map(({ compartment }) => compartment))).toEqual(
        new Set([finding.compartment]),
      )
      expect(JSON.stringify(finding)).not.toMatch(
        finding.compartment === 'general' ? /penicillin/i : new RegExp(AMOXICILLIN),
      )
    }
  })

  it('tell nothing of a Medication that is sealed elsewhere than the order', () => {
    const order = medicine('m', '', 'active', {
      medicationCodeableConcept: undefined,
      medicationReference: { reference: 'Medication/p' },
    })
    const product = item(
      'b',
      { resourceType: 'Medication', id: 'p', code: concept(RXNORM, AMOXICILLIN, 'Amoxicillin') },
      'hiv-sti',
    )
    const { findings } = found([item('a', allergy('x', PENICILLIN)), item('b', order), product])
    expect(findings.map(({ compartment }) => compartment).toSorted()).toEqual(['general', 'hiv-sti'])
    expect(JSON.stringify(findings.filter(({ compartment }) => compartment === 'general'))).not.toMatch(
      /Amoxicillin/,
    )
  })

  it('compare a value only with those of its own compartment, which they tell about', () => {
    const [a, b, c, wrong] = weights(75, 76, 77, 168)
    if (!a || !b || !c || !wrong) throw new Error('four weights')
    expect(found([P, a, b, c, wrong]).findings.map(({ rule }) => rule)).toEqual(['R25'])
    expect(found([P, a, b, { ...c, compartment: 'genetic' }, wrong]).findings).toEqual([])
  })

  it('name the birth date only to whoever may read it', () => {
    const early = item('a', measured('x', '718-7', 14, 'g/dL', '1960-01-01T00:00:00Z'), 'genetic')
    const sides = found([P, early]).findings
    expect(sides.map(({ compartment }) => compartment).toSorted()).toEqual(['general', 'genetic'])
    expect(JSON.stringify(sides.filter(({ compartment }) => compartment === 'genetic'))).not.toMatch(/1970/)
  })

  it('keep their id when a new version of the resource says the same', () => {
    const wrong = item('a', measured('x', '29463-7', 7000, 'kg'))
    const checker = createChecker(knowledge)
    const { came } = checker.update({ put: [P, wrong], nowMs: NOW })
    const again = { ...wrong, ref: 'version 2', resource: { ...wrong.resource, meta: { versionId: '2' } } }
    expect(checker.update({ put: [again], drop: [wrong.ref], nowMs: NOW })).toEqual({ came: [], went: [] })
    const [finding] = checker.report().findings
    expect([finding?.id, finding?.evidence[0]?.ref]).toEqual([came[0]?.id, 'version 2'])
  })

  it('explain by what they compared, converted and rounded', () => {
    const explained = (items: Items) =>
      found(items).findings.map(({ title, explanation }) => [title, explanation])
    expect(explained([P, ...weights(75, 76, 77, 168)])).toEqual([
      [
        'weight 168 kg: probably pounds (a)',
        'The values around it lie near 76 kg. Read as pounds it would be 76.2 kg, which fits.',
      ],
    ])
    expect(explained([P, item('a', measured('x', '29463-7', 2000, '[lb_av]'))])).toEqual([
      [
        'weight 2000 [lb_av] is not credible (a)',
        'Credible values lie between 0.2 and 650 kg. 2000 [lb_av] are 907.2 kg. The number or its unit is probably wrong.',
      ],
    ])
  })

  it('come in the order of their gravity', () => {
    const items = [
      P,
      item('b', patient('q', { gender: 'male' })),
      item('a', measured('x', '29463-7', 7000, 'kg')),
      item('a', measured('y', '8480-6', 230, 'mm[Hg]', '2020-06-01T10:00:00Z')),
      item('a', allergy('x', PENICILLIN)),
      item('b', medicine('m', AMOXICILLIN)),
    ]
    expect(found(items).findings.map(({ severity }) => severity)).toEqual(['safety', 'error', 'warn', 'info'])
  })
})

describe('a check of what is open', () => {
  const dangling = [
    P,
    item('a', { resourceType: 'Condition', id: 'c', encounter: { reference: 'Encounter/e' } }),
  ]
  const stranger = [P, item('a', { resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/x' } })]

  it.each([
    ['R96', dangling],
    ['R01', stranger],
  ] as const)('cannot tell by %s that something is missing', (rule, items) => {
    expect(found(items).findings.map((finding) => finding.rule)).toEqual([rule])
    const { findings, results, isPartial } = found(items, true)
    expect([findings, isPartial]).toEqual([[], true])
    const [result] = results.filter((one) => one.rule === rule)
    expect(result?.notAssessed).toEqual([{ reason: 'part of the record is sealed', count: 1 }])
  })

  it('says which resources no rule judged, and why', () => {
    const void1 = item('a', measured('x', '718-7', 14, 'g/dL', undefined, { status: 'entered-in-error' }))
    const void2 = item(
      'a',
      measured('y', '718-7', 14, 'g/dL', undefined, { modifierExtension: [{ url: 'urn:x' }] }),
    )
    const void3 = item('a', measured('z', '718-7', 14, 'g/dL', undefined, { implicitRules: 'urn:x' }))
    expect(found([void1, void2, void3]).excluded).toEqual([
      { reason: 'a modifier extension that is not understood', count: 1 },
      { reason: 'entered in error', count: 1 },
      { reason: 'implicit rules that are not understood', count: 1 },
    ])
  })

  it('tells how many values it checked and how many it could not, and why', () => {
    const values = [70, 71, 72].map((kg, i) =>
      item('a', measured(`w${i}`, '29463-7', kg, 'kg', `201${i}-01-01T10:00:00Z`)),
    )
    const odd = item('a', measured('o', '29463-7', 70, 'bushels'))
    const child = item('a', measured('k', '29463-7', 20, 'kg', '1978-01-01T10:00:00Z'))
    const [result] = found([P, ...values, odd, child]).results.filter(({ rule }) => rule === 'R20')
    expect(result).toEqual({
      rule: 'R20',
      status: 'pass',
      checked: 3,
      notAssessed: [
        { reason: 'limits are for adults, and the patient was younger', count: 1 },
        { reason: 'unit unknown', count: 1 },
      ],
    })
  })
})

describe('withdrawing findings', () => {
  const conflict = [item('a', allergy('x', PENICILLIN)), item('b', medicine('m', AMOXICILLIN))]
  const filed = found(conflict).findings

  it('settles what a whole check did not find again', () => {
    const stopped = [item('a', allergy('x', PENICILLIN)), item('b', medicine('m', AMOXICILLIN, 'stopped'))]
    expect(settledBy(found(stopped), filed, open(stopped))).toEqual(filed)
    expect(settledBy(found(conflict), filed, open(conflict))).toEqual([])
  })

  it('keeps what it could not have found, because its other side is sealed', () => {
    const sides = found([
      item('a', allergy('x', PENICILLIN), 'genetic'),
      item('b', medicine('m', AMOXICILLIN)),
    ]).findings
    const mine = [item('b', medicine('m', AMOXICILLIN))]
    const view = { items: mine, isSealed: (ref: string) => ref.startsWith('a-') }
    expect(settledBy(found(mine, true), sides, view)).toEqual([])
    expect(settledBy(found(mine, true), filed, view)).toEqual([])
  })

  it('settles, of a part, what is over for all to see', () => {
    const stopped = [item('a', allergy('x', PENICILLIN)), item('b', medicine('m', AMOXICILLIN, 'stopped'))]
    expect(settledBy(found(stopped, true), filed, open(stopped))).toEqual(filed)
    const gone = conflict.slice(1)
    expect(settledBy(found(gone, true), filed, open(gone))).toEqual(filed)
  })

  it('keeps, of a part, what hangs on a birth date that is sealed now, until the value itself changes', () => {
    const wrong = item('a', measured('x', '29463-7', 7000, 'kg'))
    const old = found([P, wrong]).findings
    expect(old.map(({ rule }) => rule)).toEqual(['R20'])
    const view = { items: [wrong], isSealed: (ref: string) => ref === P.ref }
    expect(settledBy(found([wrong], true), old, view)).toEqual([])
    const corrected = [item('a', measured('x', '29463-7', 70, 'kg'))]
    expect(settledBy(found(corrected, true), old, { ...view, items: corrected })).toEqual(old)
    const voided = [
      item('a', measured('x', '29463-7', 7000, 'kg', undefined, { status: 'entered-in-error' })),
    ]
    expect(settledBy(found(voided, true), old, { ...view, items: voided })).toEqual(old)
  })
})
