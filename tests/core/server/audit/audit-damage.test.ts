// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { PART_RULES } from '#core/server/audit/report.ts'
import { auditNow, restoring } from '../attempts.ts'
import { audited, type Audited } from './audited.ts'
import { TO_BLOCKS, TO_ERASURES } from './damage-to-blocks.ts'
import { TO_ENTRIES } from './damage-to-entries.ts'
import { TO_KEYS } from './damage-to-keys.ts'

let at: Audited
beforeAll(async () => {
  at = await audited()
})

describe('an audit', () => {
  it('finds nothing where nothing is wrong, and has nothing to say', async () => {
    const report = await auditNow(at.world)
    expect(report).toMatchObject({ chains: 4, findings: [], flags: [], next: null })
    expect(report.erased).toBe(3)
  })

  it.each([...TO_KEYS, ...TO_ENTRIES, ...TO_ERASURES, ...TO_BLOCKS])(
    'names $what, and nothing else ($status, $rule)',
    async ({ make, height, status, rule, chain = 'record' }) => {
      await restoring(at, async () => {
        await make(at)
        const { findings } = await auditNow(at.world)
        expect(findings.map(({ detail, ...finding }) => (detail === '' ? detail : finding))).toEqual([
          { chain: at[chain], height: height(at), status, rule },
        ])
      })
    },
  )

  it('has a case above for each of its rules', () => {
    const tested = new Set([...TO_KEYS, ...TO_ENTRIES, ...TO_ERASURES].map(({ rule }) => rule))
    expect(PART_RULES.filter((rule) => !tested.has(rule))).toEqual([])
  })
})
