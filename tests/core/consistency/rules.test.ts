// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { checkRecord } from '#core/consistency/check.ts'
import type { RecordItem } from '#core/consistency/facts.ts'
import { RULES } from '#core/consistency/rules/all.ts'
import { FIRST_CASES } from './cases-first.ts'
import { SECOND_CASES } from './cases-second.ts'
import { item, allergy, medicine, PENICILLIN, type Json } from './small-records.ts'
import { knowledge } from '#tests/bridge-world.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const CASES = [...FIRST_CASES, ...SECOND_CASES]
const rulesThatHit = (items: readonly RecordItem[]) => [
  ...new Set(checkRecord(items, knowledge, NOW).findings.map((finding) => finding.rule)),
]

describe('consistency rules', () => {
  it('each have a record that breaks them, one that keeps them, and one that only looks broken', () => {
    expect(CASES.map(([rule]) => rule).toSorted()).toEqual(RULES.map((rule) => rule.id).toSorted())
  })

  it.each(CASES)('%s finds what is wrong, and nothing else', (rule, broken, kept, looksBroken) => {
    expect(rulesThatHit(broken)).toContain(rule)
    expect(rulesThatHit(kept)).not.toContain(rule)
    expect(rulesThatHit(looksBroken)).not.toContain(rule)
  })

  it('say that they could not assess what is not there, instead of passing it', () => {
    const { results } = checkRecord([], knowledge, NOW)
    expect(
      results.every((result) => result.status === 'could-not-assess' && result.reason !== undefined),
    ).toBe(true)
  })

  it('give the same findings in whatever order the record was filed', () => {
    const all = CASES.flatMap(([, broken]) => broken).filter(
      (one, i, list) => list.findIndex((other) => other.ref === one.ref) === i,
    )
    const ids = (items: readonly RecordItem[]) =>
      checkRecord(items, knowledge, NOW).findings.map((finding) => finding.id)
    const expected = ids(all)
    expect(expected.length).toBeGreaterThan(10)
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(ids(shuffled)).toEqual(expected)
      }),
      { numRuns: 20 },
    )
  })

  it('cite only one compartment in each finding, and every cited value can be read again', () => {
    const record = [item('a', allergy('x', PENICILLIN), 'mental-health'), item('b', medicine('m', '308192'))]
    const { findings } = checkRecord(record, knowledge, NOW)
    expect(findings.map((finding) => finding.compartment).toSorted()).toEqual(['general', 'mental-health'])
    for (const finding of findings) {
      expect(new Set(finding.evidence.map((evidence) => evidence.compartment)).size).toBe(1)
      expect(JSON.stringify(finding)).not.toMatch(finding.compartment === 'general' ? /91936005/ : /308192/)
    }
  })

  it('find nothing in unmodified Synthea records', () => {
    const base = new URL('../../samples/synthea-r4/', import.meta.url)
    for (const name of readdirSync(base).filter((file) => !file.startsWith('practitioner'))) {
      const { entry } = JSON.parse(readFileSync(new URL(name, base), 'utf8')) as {
        entry: { resource: Json }[]
      }
      expect(rulesThatHit(entry.map(({ resource }) => item('a', resource)))).toEqual([])
    }
  })
})
