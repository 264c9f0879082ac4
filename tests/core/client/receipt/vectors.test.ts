// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { asDigest } from '#core/bytes/ids.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { formatPolicy, parsePolicy } from '#core/log/policy/policy.ts'
import { expectedOf } from '#tests/vectors/ampere/generate-receipts.ts'
import { witnessedRecord } from '#tests/vectors/ampere/receipts/witnessed-record.ts'

const FOLDER = new URL('../../../vectors/ampere/receipts/', import.meta.url)
const file = (name: string) => readFileSync(new URL(name, FOLDER))
const expected = JSON.parse(file('expected.json').toString()) as Record<string, unknown>
const registry = asDigest(String(expected['registry']))
const policy = file('policy.txt').toString()

describe('the frozen export with receipts', () => {
  it('is judged by its policy as it must be, and without one by nobody', async () => {
    const judged = await verifyExport(file('export.ampere'), { registry, policy: parsePolicy(policy) })
    expect(expectedOf(judged)).toEqual(expected['underPolicy'])
    expect(judged.asOf).toBe(expected['asOf'])
    const unjudged = await verifyExport(file('export.ampere'), { registry })
    expect(expectedOf(unjudged)).toEqual(expected['withoutPolicy'])
    expect(formatPolicy(parsePolicy(policy))).toBe(policy)
  })

  it('has the statuses and problems of one that is made now', async () => {
    const made = await witnessedRecord()
    const { registry: own } = made
    const judged = await verifyExport(made.bytes, { registry: own, policy: parsePolicy(made.policy) })
    // Places in the log are others: blocks that come at once are logged in the order of their ids.
    const { statuses, problems } = expectedOf(judged)
    expect(expected['underPolicy']).toMatchObject({ statuses, problems })
  })
})
