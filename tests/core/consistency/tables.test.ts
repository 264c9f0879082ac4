// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { checkRecord } from '#core/consistency/check.ts'
import { createKnowledge, type KnowledgeTables } from '#core/consistency/knowledge.ts'
import { unitOf } from '#core/consistency/read/units.ts'
import { RXNORM, allergy, concept, item, medicine } from './small-records.ts'
import { knowledge } from '#tests/bridge-world.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const FOLDER = new URL('../../../terminology/', import.meta.url)
const tables = JSON.parse(readFileSync(new URL('knowledge.json', FOLDER), 'utf8')) as KnowledgeTables

/** Two ingredients of a class that have no other class in common. */
function twoOf(drugClass: string): readonly [string, string] {
  const [first = '', second = ''] = tables.ingredients
    .filter((row) => row.class === drugClass)
    .map(({ code }) => code)
  return [first, second]
}
const rulesFor = (allergen: string, drug: string, type: string) =>
  checkRecord(
    [item('a', allergy('x', concept(RXNORM, allergen), { type })), item('b', medicine('m', drug))],
    knowledge,
    NOW,
  ).findings.map(({ rule }) => rule)

describe('the tables', () => {
  it('hold only units that are understood', () => {
    const units = tables.analytes.flatMap(({ ucum, also }) => [ucum, ...also])
    expect(units.filter((ucum) => unitOf(ucum) === null)).toEqual([])
  })

  it('are refused when a unit is not understood', () => {
    const [first] = tables.analytes
    if (!first) throw new Error('no analytes')
    expect(() => createKnowledge({ ...tables, analytes: [{ ...first, ucum: 'spoons' }] })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION' }),
    )
  })

  it('have limits that enclose one another', () => {
    const broken = tables.analytes.filter(
      ({ hard, soft }) =>
        hard !== null && soft !== null && !(hard[0] <= soft[0] && soft[0] < soft[1] && soft[1] <= hard[1]),
    )
    expect(broken).toEqual([])
  })

  it('say of each added code where it was seen', () => {
    const [, ...rows] = readFileSync(new URL('added.csv', FOLDER), 'utf8').trim().split('\n')
    const codes = [...tables.bloodGroups.map(({ loinc }) => loinc), '1968-7']
    expect(new Set(rows.map((row) => row.split(',')[1]))).toEqual(new Set(codes))
    expect(rows.filter((row) => !/(HL7|hl7ch|OHDSI|public code index)/.test(row))).toEqual([])
  })

  it.each(['penicillins', 'cephalosporins', 'sulfonamide-antibiotics', 'nsaids'])(
    'make an allergy to one of the %s speak against another, and an intolerance not',
    (drugClass) => {
      const [one, other] = twoOf(drugClass)
      expect(rulesFor(one, other, 'allergy')).toEqual(['R80'])
      expect(rulesFor(one, other, 'intolerance')).toEqual([])
      expect(rulesFor(one, one, 'intolerance')).toEqual(['R80'])
    },
  )

  it.each(['ace-inhibitors', 'opioids', 'beta-blockers', 'corticosteroids'])(
    'make an allergy to one of the %s no matter of the class',
    (drugClass) => {
      const [one, other] = twoOf(drugClass)
      expect([one, other]).not.toContain('')
      expect(rulesFor(one, other, 'allergy')).toEqual([])
    },
  )
})
