// SPDX-License-Identifier: Apache-2.0
import { parseBlock } from '#core/block/open-block.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import type { Link } from '#core/chain/state.ts'
import { testDeployment } from '#tests/deployment.ts'
import { cpuMicros, figure, inTurn, perSecond, ratios, ROUNDS, type Bench } from './measure.ts'
import { INSTITUTION } from './worlds/durable.ts'
import { newChain, preparedBlocks, verifyingContext } from './worlds/prepared-chain.ts'
import { verifyAll } from './worlds/raw-signatures.ts'

const BLOCKS = 10_000
/** As a client asks a home for them. */
const PAGE = 500

export const bench: Bench = {
  question: 'How fast is a chain of 10,000 blocks verified?',
  run: async () => {
    const world = await testDeployment([INSTITUTION])
    const replica = await newChain(world)
    const { instance } = world.institution(INSTITUTION)
    const compacts = [...(await world.connect(INSTITUTION).api.blocks(replica.chain, 0)).items]
    for await (const page of preparedBlocks(replica, instance, BLOCKS - 1)) compacts.push(...page)
    const context = await verifyingContext(world, replica.chain)
    const fold = async () => {
      let link: Link | null = null
      for (let at = 0; at < BLOCKS; at += PAGE) {
        const folded = await foldBlocks(link, compacts.slice(at, at + PAGE), context)
        if (folded.broken) throw new Error(folded.broken.violation.rule)
        link = folded.links.at(-1) ?? null
      }
      if (link?.opened.block.height !== BLOCKS - 1) throw new Error('not all blocks were verified')
    }
    const signatures = compacts.map((compact) => parseBlock(compact).jws)
    const samples = await inTurn({ ours: fold, floor: () => verifyAll(instance.publicKey, signatures) })
    const ours = perSecond(BLOCKS, samples.ours)
    const floor = perSecond(BLOCKS, samples.floor)
    const bytes = compacts.reduce((sum, compact) => sum + compact.length, 0)
    return {
      sizes: `${BLOCKS} blocks of ${Math.round(bytes / BLOCKS)} bytes in pages of ${PAGE}, ES256, 64 signatures in flight; ${ROUNDS} rounds`,
      figures: [
        figure('verified: form, signatures, rules', 'blocks/s', ours),
        figure('floor: the same signatures by WebCrypto alone', 'blocks/s', floor),
        figure('ratio to the floor', '', ratios(ours, floor), { atLeast: 0.6 }),
        figure('CPU per block', 'us', cpuMicros(BLOCKS, samples.ours)),
        figure('CPU per block, floor', 'us', cpuMicros(BLOCKS, samples.floor)),
      ],
      doesNotShow:
        'reading the blocks from a home, opening entries, and chains with many control blocks, whose approvals are signatures too.',
    }
  },
}
