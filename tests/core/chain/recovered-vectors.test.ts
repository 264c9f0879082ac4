// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { parseJws } from '#core/block/jws.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import { stateBytes } from '#core/chain/state.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { createRegistryHistory, type RegistryHistory } from '#core/registry/history.ts'
import { recoveredVectors } from '#tests/vectors/ampere/generate-recovered.ts'

interface Vectors {
  readonly registry: readonly string[]
  readonly chain: string
  readonly blocks: readonly {
    type: string
    act: string | null
    block: string
    id: string
    canonicalState: string
  }[]
  readonly rejected: readonly { readonly rule: string; readonly block: string }[]
}

const text = readFileSync(new URL('../../vectors/ampere/recovered/chain.json', import.meta.url), 'utf8')
const { vectors } = JSON.parse(text) as { vectors: Vectors }
const verifiers = createVerifiers()
let history: RegistryHistory

beforeAll(async () => {
  history = createRegistryHistory(parseJws(vectors.registry[0] ?? '', 'ampere-registry+jws').id, verifiers)
  for (const block of vectors.registry) await history.add(block)
})

const fold = (blocks: readonly string[]) =>
  foldBlocks(null, blocks, {
    chain: vectors.chain as never,
    viewAt: history.viewAt,
    keyOf: history.keyOf,
    verifiers,
  })

describe('the recovery that earlier versions wrote', () => {
  it('folds to the ids and states that it had', async () => {
    const folded = await fold(vectors.blocks.map(({ block }) => block))
    expect(folded.broken).toBeNull()
    expect(folded.links.map(({ opened, state }) => [opened.id, fromUtf8(stateBytes(state))])).toEqual(
      vectors.blocks.map(({ id, canonicalState }) => [id, canonicalState]),
    )
    const acts = vectors.blocks.flatMap(({ type, act }) => (type === 'recover' ? [act] : []))
    expect(acts).toEqual(['request', 'cancel', 'request', 'complete'])
  })

  it('is followed by none of the blocks that break a rule', async () => {
    const before = vectors.blocks.slice(0, 6).map(({ block }) => block)
    for (const { rule, block } of vectors.rejected) {
      const { broken } = await fold([...before, block])
      expect(broken).toMatchObject({ height: 6, violation: { rule } })
    }
    expect(vectors.rejected).toHaveLength(6)
  })

  it('is made again byte for byte from its seed', async () => {
    expect(await recoveredVectors()).toBe(text)
  })
})
