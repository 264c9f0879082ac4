// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { isViolation } from '#core/block/violation.ts'
import { documentedRules } from './documented-rules.ts'
import { judge, record, seal } from '../small-chain.ts'
import { CASES } from './cases.ts'
import { makeKit, PLAIN_ENDS, type Kit } from './kit.ts'

const CHAIN = new URL('../../../../core/chain/', import.meta.url)
let kit: Kit

beforeAll(async () => {
  kit = await makeKit(51)
})

describe('a block is refused', () => {
  it.each(CASES)('by the rule %s: %s', async (rule, _, attempt) => {
    const { parent, compact, chain } = await attempt(kit)
    const verdict = await judge(kit, parent, compact, chain)
    expect(isViolation(verdict) ? verdict.rule : null).toBe(rule)
  })
})

describe('a block by an instance that expires', () => {
  it('is taken until that very moment', async () => {
    const draft = { ...record(kit, kit.head), time: PLAIN_ENDS }
    const compact = await seal(kit, kit.head, draft, kit.plain)
    expect(isViolation(await judge(kit, kit.head, compact))).toBe(false)
  })
})

describe('the table of rules in docs/protocol/RULES.md', () => {
  it('holds the rules that the cases here reach, and no other', () => {
    const rules = documentedRules()
    expect(rules.length).toBeGreaterThan(45)
    const reached = new Set(CASES.map(([rule]) => rule))
    expect(rules.filter((rule) => !reached.has(rule))).toEqual([])
    expect([...reached].filter((rule) => !rules.includes(rule))).toEqual([])
  })

  it('holds exactly the rules that the code names', () => {
    const files = readdirSync(CHAIN, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )
    const text = files.map((name) => readFileSync(new URL(name, CHAIN), 'utf8')).join('\n')
    const named = [...text.matchAll(/violation\(\s*'([a-z-]+)'/g)].map(([, rule]) => String(rule))
    expect([...new Set(named)].toSorted()).toEqual(documentedRules().toSorted())
  })
})
