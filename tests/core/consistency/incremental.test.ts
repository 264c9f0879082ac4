// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { checkRecord } from '#core/consistency/check.ts'
import { createChecker, type Checker } from '#core/consistency/checker.ts'
import type { RecordItem } from '#core/consistency/facts.ts'
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
  weights,
} from './small-records.ts'
import { knowledge } from '#tests/bridge-world.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const YEAR = 366 * 86_400_000

/** Every version of every resource of the cases: two of one source, type and id are versions of one resource. */
const POOL: readonly RecordItem[] = ALL_CASES.flatMap(({ broken, kept, nearly }) => [
  ...broken,
  ...kept,
  ...nearly.flatMap(({ items, but }) => [...items, ...but]),
]).map((one, i) => ({ ...one, ref: `version-${i}` }))
const nameOf = ({ source, resource }: RecordItem) => `${source}/${resource.resourceType}/${resource.id ?? ''}`

interface Batch {
  /** Versions that come; each takes the place of the version that is there. */
  readonly come: readonly RecordItem[]
  /** Which of the current resources go, as fractions of their number. */
  readonly go: readonly number[]
  readonly years: number
  readonly isPartial: boolean
  /** Whether the checker is told the news, or all that is current. */
  readonly isTold: boolean
}

const batches: fc.Arbitrary<readonly Batch[]> = fc.array(
  fc.record({
    come: fc.array(fc.constantFrom(...POOL), { maxLength: 25 }),
    go: fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 4 }),
    years: fc.constantFrom(0, 0, 0, 1, 40, -30),
    isPartial: fc.boolean(),
    isTold: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
)

/** Applies a batch to what is current, and to the checker. @returns which ids it says stand now */
function apply(
  checker: Checker,
  current: Map<string, RecordItem>,
  standing: Set<string>,
  batch: Batch,
): void {
  const names = [...current.keys()]
  const drop: string[] = []
  const leave = (name: string) => {
    const gone = current.get(name)
    if (gone) drop.push(gone.ref)
    current.delete(name)
  }
  for (const fraction of batch.go) leave(names[Math.floor(fraction * names.length)] ?? '')
  for (const one of batch.come) {
    leave(nameOf(one))
    current.set(nameOf(one), one)
  }
  const come = [...current.values()].filter((one) => batch.come.includes(one))
  const nowMs = NOW + batch.years * YEAR
  const { isPartial } = batch
  const { came, went } = batch.isTold
    ? checker.update({
        put: come,
        drop: drop.filter((ref) => !come.some((one) => one.ref === ref)),
        nowMs,
        isPartial,
      })
    : checker.sync([...current.values()], nowMs, isPartial)
  for (const id of went) expect(standing.delete(id)).toBe(true)
  for (const { id } of came) {
    expect(standing.has(id)).toBe(false)
    standing.add(id)
  }
}

describe('checking only what the news touch', () => {
  it('finds after any sequence of batches what a whole check finds, and says what came and went', () => {
    fc.assert(
      fc.property(batches, (sequence) => {
        const checker = createChecker(knowledge)
        const current = new Map<string, RecordItem>()
        const standing = new Set<string>()
        for (const batch of sequence) {
          apply(checker, current, standing, batch)
          const whole = checkRecord(
            [...current.values()],
            knowledge,
            NOW + batch.years * YEAR,
            batch.isPartial,
          )
          expect(checker.report()).toEqual(whole)
          expect([...standing].toSorted()).toEqual(whole.findings.map(({ id }) => id).toSorted())
        }
      }),
      { numRuns: 60 },
    )
  })

  it('finds the same however the same resources are grouped and ordered', () => {
    const all = [...new Map(POOL.map((one) => [nameOf(one), one])).values()]
    const whole = checkRecord(all, knowledge, NOW)
    expect(whole.findings.length).toBeGreaterThan(20)
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.integer({ min: 1, max: 40 }),
        (order, size) => {
          const checker = createChecker(knowledge)
          for (let i = 0; i < order.length; i += size)
            checker.update({ put: order.slice(i, i + size), nowMs: NOW })
          expect(checker.report()).toEqual(whole)
        },
      ),
      { numRuns: 10 },
    )
  })

  it('withdraws a finding when a new version settles it, and only that one', () => {
    const checker = createChecker(knowledge)
    const wrong = weights(75, 76, 77, 168)
    const drug = item('b', medicine('m', AMOXICILLIN))
    const { came } = checker.update({
      put: [P, ...wrong, item('a', allergy('x', PENICILLIN)), drug],
      nowMs: NOW,
    })
    expect(came.map(({ rule }) => rule).toSorted()).toEqual(['R25', 'R80'])
    const right = {
      ...item('a', measured('y3', '29463-7', 76, 'kg', '2013-05-01T10:00:00Z')),
      ref: 'version 2',
    }
    const { came: after, went } = checker.update({ put: [right], drop: [wrong[3]?.ref ?? ''], nowMs: NOW })
    expect({ after, went }).toEqual({
      after: [],
      went: came.filter(({ rule }) => rule === 'R25').map(({ id }) => id),
    })
  })

  it('reads an order again when the Medication that it refers to comes, changes and goes', () => {
    const checker = createChecker(knowledge)
    const order = item(
      'b',
      medicine('m', '', 'active', {
        medicationCodeableConcept: undefined,
        medicationReference: { reference: 'Medication/prod' },
      }),
    )
    const product = (ref: string, code: string) => ({
      ...item('b', { resourceType: 'Medication', id: 'prod', code: concept(RXNORM, code) }),
      ref,
    })
    const rules = () => checker.report().findings.map(({ rule }) => rule)
    checker.update({ put: [order, item('a', allergy('x', PENICILLIN))], nowMs: NOW })
    expect(rules()).toEqual([])
    checker.update({ put: [product('v1', AMOXICILLIN)], nowMs: NOW })
    expect(rules()).toEqual(['R80'])
    checker.update({ put: [product('v2', '314076')], drop: ['v1'], nowMs: NOW })
    expect(rules()).toEqual([])
    checker.update({ put: [product('v3', AMOXICILLIN)], drop: ['v2'], nowMs: NOW })
    checker.update({ drop: ['v3'], nowMs: NOW })
    expect(rules()).toEqual([])
  })

  it.each([
    ['compartment', { compartment: 'genetic' }],
    ['institution', { source: 'b' }],
    ['content', { resource: measured('x', '29463-7', 8000, 'kg') as RecordItem['resource'] }],
  ])('reads an item again when its %s is another', (_what, other) => {
    const checker = createChecker(knowledge)
    const wrong = item('a', measured('x', '29463-7', 7000, 'kg'))
    checker.sync([P, wrong], NOW)
    checker.sync([P, { ...wrong, ...other }], NOW)
    expect(checker.report()).toEqual(checkRecord([P, { ...wrong, ...other }], knowledge, NOW))
    expect(checker.report().findings).toHaveLength(1)
  })

  it('cites the version of the patient that stands, when the birth date stays the same', () => {
    const checker = createChecker(knowledge)
    const early = item('a', measured('x', '718-7', 14, 'g/dL', '1960-01-01T00:00:00Z'))
    checker.update({ put: [P, early], nowMs: NOW })
    const next = { ...P, ref: 'version 2' }
    expect(checker.update({ put: [next], drop: [P.ref], nowMs: NOW })).toEqual({ came: [], went: [] })
    expect(checker.report()).toEqual(checkRecord([next, early], knowledge, NOW))
    expect(checker.report().findings[0]?.evidence.map(({ ref }) => ref)).toContain('version 2')
  })

  it('lets time settle what lay in the future, without news', () => {
    const checker = createChecker(knowledge)
    checker.update({
      put: [P, item('a', measured('x', '718-7', 14, 'g/dL', '2027-06-01T10:00:00Z'))],
      nowMs: NOW,
    })
    expect(checker.report().findings.map(({ rule }) => rule)).toEqual(['R62'])
    expect(checker.update({ nowMs: NOW + YEAR }).went).toHaveLength(1)
    expect(checker.update({ nowMs: NOW }).came).toHaveLength(1)
  })
})
