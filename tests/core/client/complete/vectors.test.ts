// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { asDigest } from '#core/bytes/ids.ts'
import type { Monitors } from '#core/client/client.ts'
import { verifyExport, type VerifyOptions } from '#core/client/export/verify-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { expectedOf } from '#tests/vectors/ampere/generate-lookups.ts'
import { lookupRecord, spoiltFile, type Spoilt } from '#tests/vectors/ampere/lookups/monitored-record.ts'

const FOLDER = new URL('../../../vectors/ampere/lookups/', import.meta.url)
const file = (name: string) => readFileSync(new URL(name, FOLDER))
const expected = JSON.parse(file('expected.json').toString()) as Record<string, object> & {
  readonly registry: string
}
const registry = asDigest(expected.registry)
const policy = parsePolicy(file('policy.txt').toString())
const monitors = JSON.parse(file('monitors.json').toString()) as Monitors
const { vectors } = JSON.parse(file('spoilt.json').toString()) as {
  vectors: readonly (Spoilt & { readonly expected: object })[]
}
const judge = async (bytes: Uint8Array, options: VerifyOptions) =>
  expectedOf(await verifyExport(bytes, { registry, ...options }))

describe('the frozen export with the answers of monitors', () => {
  it('is complete by what is pinned, and by nobody without that', async () => {
    const bytes = file('export.ampere')
    expect(await judge(bytes, { policy, monitors })).toEqual(expected['pinned'])
    expect(await judge(bytes, { policy })).toEqual(expected['withoutMonitors'])
    expect(await judge(bytes, { monitors })).toEqual(expected['withoutPolicy'])
  })

  it('is not complete when its answers are spoilt, each for its reason', async () => {
    const lines = file('export.ampere').toString().trimEnd().split('\n')
    expect(vectors).toHaveLength(21)
    for (const vector of vectors) {
      const said = await judge(spoiltFile(lines, vector), { policy, monitors })
      expect([vector.name, said]).toEqual([vector.name, vector.expected])
      expect(said.complete.why).toBe(vector.why)
    }
  })

  it('says what one that is made now says', async () => {
    const made = await lookupRecord()
    expect(made.spoilt.map(({ name, why }) => [name, why])).toEqual(
      vectors.map(({ name, why }) => [name, why]),
    )
    const options = { registry: made.registry, policy: parsePolicy(made.policy), monitors }
    const { complete, problems } = expectedOf(await verifyExport(made.file, options))
    // Roots are others: blocks are signed anew.
    expect(complete).toMatchObject({ height: 3, why: null, asOfMs: made.seenMs })
    expect(problems).toEqual([])
  })
})
