// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import type { Link } from '#core/chain/state.ts'
import { newChain, preparedBlocks, verifyingContext } from '#tests/bench/worlds/prepared-chain.ts'
import { testDeployment } from '#tests/deployment.ts'

const BLOCKS = 140

describe('folding a chain', () => {
  let compacts: string[]
  let context: Awaited<ReturnType<typeof verifyingContext>>
  beforeAll(async () => {
    const world = await testDeployment(['hospital-a'])
    const replica = await newChain(world)
    compacts = [...(await world.connect('hospital-a').api.blocks(replica.chain, 0)).items]
    const { instance } = world.institution('hospital-a')
    for await (const page of preparedBlocks(replica, instance, BLOCKS - 1)) compacts.push(...page)
    context = await verifyingContext(world, replica.chain)
  })

  it.each([1, 63, 64, 65, 128, 500])('gives the same links by pages of %d blocks', async (page) => {
    const ids: string[] = []
    let link: Link | null = null
    for (let at = 0; at < compacts.length; at += page) {
      const folded = await foldBlocks(link, compacts.slice(at, at + page), context)
      expect(folded.broken).toBeNull()
      ids.push(...folded.links.map(({ opened }) => opened.compact))
      link = folded.links.at(-1) ?? null
    }
    expect(ids).toEqual(compacts)
  })

  it.each([2, 63, 64, 65, 127, 128, BLOCKS - 1])(
    'names block %d as the first that is broken',
    async (height) => {
      const forged = compacts.map((compact, at) => (at < height ? compact : withOtherSignature(compact)))
      const { links, broken } = await foldBlocks(null, forged, context)
      expect([links.length, broken?.height, broken?.violation.rule]).toEqual([height, height, 'signature'])
      const without = compacts.filter((_, at) => at !== height - 1)
      const gap = await foldBlocks(null, without, context)
      expect([gap.links.length, gap.broken?.violation.rule]).toEqual([height - 1, 'height'])
    },
  )
})

/** The same statement with another block's signature bytes: well-formed, of low s, and wrong. */
function withOtherSignature(compact: string): string {
  const [header = '', payload = '', signature = ''] = compact.split('.')
  return `${header}.${payload}.${signature.startsWith('AAAA') ? 'AAAB' : 'AAAA'}${signature.slice(4)}`
}
