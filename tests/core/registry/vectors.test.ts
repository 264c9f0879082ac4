// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import type { Digest } from '#core/bytes/ids.ts'
import { fromHex } from '#core/bytes/encoding.ts'
import { softwareSigner } from '#core/crypto/signature.ts'
import { createRegistryHistory } from '#core/registry/history.ts'
import { getRecord, stateRoot, verifyRecordProof, type RecordProof } from '#core/registry/state.ts'
import { registryVectors } from '#tests/vectors/ampere/generate-registry.ts'
import { renewalVectors } from '#tests/vectors/ampere/generate-renewals.ts'
import { apply, brokenRule, must, verifiers } from './members.ts'

interface Vectors {
  readonly seeds: Readonly<Record<string, string>>
  readonly blocks: readonly { readonly block: string; readonly id: Digest; readonly state: Digest }[]
  readonly rejected: readonly { readonly rule: string; readonly block: string }[]
  readonly proofs: readonly (RecordProof & { readonly key: string; readonly record: unknown })[]
}
const file = new URL('../../vectors/ampere/registry.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vectors }

async function newest() {
  let link = null
  for (const { block } of vectors.blocks) link = await apply(link, block)
  return must(link)
}

describe('the renewals that earlier versions made', () => {
  const place = new URL('../../vectors/ampere/renewals.json', import.meta.url)
  const { vectors: renewals } = JSON.parse(readFileSync(place, 'utf8')) as {
    vectors: Omit<Vectors, 'proofs'>
  }

  it('fold to the ids and states that they had, and refuse the same blocks by the same rules', async () => {
    let link = null
    for (const { block, id, state } of renewals.blocks) {
      link = await apply(link, block)
      expect([link.place.id, stateRoot(link.state)]).toEqual([id, state])
    }
    for (const { rule, block } of renewals.rejected) expect(await brokenRule(link, block)).toBe(rule)
    expect(renewals.rejected).toHaveLength(14)
  })

  it('are made again byte for byte from their seed', async () => {
    expect(await renewalVectors()).toEqual(renewals)
  })
})

describe('the registry that earlier versions made', () => {
  it('folds to the ids and states that it had', async () => {
    const history = createRegistryHistory(must(vectors.blocks[0]).id, verifiers)
    for (const { block, id, state } of vectors.blocks) {
      expect((await history.add(block)).id).toBe(id)
      expect(stateRoot(must(history.link()).state)).toBe(state)
    }
    expect(history.height()).toBe(10)
  })

  it('refuses the same blocks by the same rules', async () => {
    const link = await newest()
    expect(vectors.rejected).toHaveLength(16)
    for (const { rule, block } of vectors.rejected) expect(await brokenRule(link, block)).toBe(rule)
  })

  it('proves the same records, present and absent', async () => {
    const { state } = await newest()
    for (const { key, record, ...proof } of vectors.proofs) {
      expect(verifyRecordProof(proof, key, must(vectors.blocks.at(-1)).state)).toEqual(record)
      expect(getRecord(state, key)).toEqual(record)
    }
    expect(vectors.proofs.map(({ record }) => record === null)).toContain(true)
  })

  it('is made again byte for byte from its seed', async () => {
    expect(await registryVectors()).toEqual(vectors)
    const signer = await softwareSigner('Ed25519', fromHex(vectors.seeds['b root'] ?? ''))
    expect(vectors.proofs.map(({ key }) => key)).toContain(`key/${signer.kid}`)
  })
})
