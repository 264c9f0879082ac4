// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { checkRecord } from '#core/consistency/check.ts'
import { RULES } from '#core/consistency/rules/all.ts'
import { ALL_CASES } from './cases/all.ts'
import type { Items, Nearly } from './small-records.ts'
import { knowledge } from '#tests/bridge-world.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const NEARLY = ALL_CASES.flatMap(({ rule, nearly }) =>
  nearly.map((near): [string, string, Nearly] => [rule, near.why, near]),
)

const rulesThatHit = (items: Items) =>
  [...new Set(checkRecord(items, knowledge, NOW).findings.map((finding) => finding.rule))].toSorted()
const resultOf = (rule: string, items: Items) =>
  checkRecord(items, knowledge, NOW).results.find((result) => result.rule === rule)

describe('the consistency rules', () => {
  it('each have records that break, keep and almost break them', () => {
    expect(ALL_CASES.map(({ rule }) => rule).toSorted()).toEqual(RULES.map(({ id }) => id).toSorted())
    expect(ALL_CASES.filter(({ nearly }) => nearly.length === 0)).toEqual([])
  })

  it.each(ALL_CASES.map((one) => [one.rule, one] as const))(
    '%s finds what is wrong, and no other rule does',
    (rule, { broken, also = [] }) => {
      expect(rulesThatHit(broken)).toEqual([rule, ...also].toSorted())
      expect(resultOf(rule, broken)?.status).toBe('fail')
    },
  )

  it.each(ALL_CASES.map((one) => [one.rule, one.kept] as const))(
    '%s passes a record that keeps it, because it was applied',
    (rule, kept) => {
      expect(rulesThatHit(kept)).toEqual([])
      expect(resultOf(rule, kept)).toMatchObject({ status: 'pass', notAssessed: [] })
      expect(resultOf(rule, kept)?.checked).toBeGreaterThan(0)
    },
  )

  it.each(NEARLY)('%s is not deceived: %s', (rule, _why, { items, because, isPartly = false }) => {
    expect(rulesThatHit(items)).not.toContain(rule)
    const { status, reason, notAssessed = [] } = resultOf(rule, items) ?? {}
    expect(status).toBe(because === undefined || isPartly ? 'pass' : 'could-not-assess')
    if (because !== undefined) expect([reason, ...notAssessed.map((one) => one.reason)]).toContain(because)
  })

  // A rule that did not look at what makes the difference would judge both records alike.
  it.each(NEARLY)('%s would be deceived by one thing less: %s', (rule, _why, { but, also = [] }) => {
    expect(rulesThatHit(but)).toEqual([rule, ...also].toSorted())
  })

  it('say that they could not assess what is not there, instead of passing it', () => {
    const { results } = checkRecord([], knowledge, NOW)
    expect(results).toHaveLength(RULES.length)
    expect(
      results.every(
        ({ status, checked, reason = '' }) => status === 'could-not-assess' && checked === 0 && reason !== '',
      ),
    ).toBe(true)
  })

  it('give the same report in whatever order the record was filed', () => {
    const all = [...new Map(ALL_CASES.flatMap(({ broken }) => broken).map((one) => [one.ref, one])).values()]
    const expected = checkRecord(all, knowledge, NOW)
    expect(expected.findings.length).toBeGreaterThan(10)
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(checkRecord(shuffled, knowledge, NOW)).toEqual(expected)
      }),
      { numRuns: 10 },
    )
  })
})
