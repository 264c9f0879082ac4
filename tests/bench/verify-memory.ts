// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ChainId } from '#core/bytes/ids.ts'
import { AUDIT_PAGE } from '#core/server/audit/chain.ts'
import { figure, type Bench } from './measure.ts'
import { durableDeployment, inFolder, INSTITUTION } from './worlds/durable.ts'
import { insertPrepared, newChain } from './worlds/prepared-chain.ts'

const BLOCKS = 100_000
const SHORT = 10_000
/** Fewer than elsewhere: memory hardly differs between rounds, and each takes half a minute. */
const MEMORY_ROUNDS = 5
const CHILD = join(import.meta.dirname, 'children/verify-chain.ts')
/** A heap in which garbage cannot stay: what is left is what verifying needs. */
const SMALL_HEAP = ['--max-old-space-size=64', '--max-semi-space-size=4']
const EMPTY = join(import.meta.dirname, 'children/peak.ts')

export const bench: Bench = {
  question: 'How much memory does verifying 100,000 blocks take?',
  run: () =>
    inFolder(async (folder) => {
      const chains = { short: await prepare(folder, SHORT), tall: await prepare(folder, BLOCKS) }
      const peaks = { empty: [], foldShort: [], fold: [], foldSmall: [], replica: [] } as Record<
        Measured,
        number[]
      >
      for (let round = 0; round < MEMORY_ROUNDS; round++) {
        const empty = await peakOf([EMPTY])
        const above = async (how: string, chain: ChainId, blocks: number, flags: readonly string[] = []) =>
          (await peakOf([...flags, CHILD, how, folder, chain, String(blocks)])) - empty
        peaks.empty.push(empty)
        peaks.foldShort.push(await above('fold', chains.short, SHORT))
        peaks.fold.push(await above('fold', chains.tall, BLOCKS))
        peaks.foldSmall.push(await above('fold', chains.tall, BLOCKS, SMALL_HEAP))
        peaks.replica.push(await above('replica', chains.tall, BLOCKS))
      }
      return {
        sizes: `chains of ${SHORT} and ${BLOCKS} blocks in a local data folder, read and verified in pages of ${AUDIT_PAGE}, as an audit does; peak resident memory of a process of its own; ${MEMORY_ROUNDS} rounds`,
        figures: [
          figure('floor: a Node process that does nothing', 'MB', peaks.empty),
          figure('verifying 10,000 blocks, above the floor', 'MB', peaks.foldShort),
          figure('verifying 100,000 blocks, above the floor', 'MB', peaks.fold, { atMost: 150 }),
          figure(`the same with ${SMALL_HEAP.join(' ')}`, 'MB', peaks.foldSmall, { atMost: 150 }),
          figure(
            'growth from 10,000 to 100,000 blocks',
            'MB',
            peaks.fold.map((peak, i) => peak - (peaks.foldShort[i] ?? Number.NaN)),
          ),
          figure('a client that keeps a note of each, with its home', 'MB', peaks.replica),
        ],
        doesNotShow:
          'opening entries, whose contents a reader keeps; the local adapter keeps pages of its database in memory too, which is counted here. Without a small heap V8 lets garbage lie.',
      }
    }),
}

type Measured = 'empty' | 'foldShort' | 'fold' | 'foldSmall' | 'replica'

async function prepare(folder: string, blocks: number): Promise<ChainId> {
  const world = await durableDeployment(folder)
  const replica = await newChain(world)
  const { instance } = world.institution(INSTITUTION)
  await insertPrepared(world.platform.table('blocks'), replica, instance, blocks - 1)
  await world.platform.close()
  return replica.chain
}

/** Peak resident memory of a Node process in MB, as it prints it itself. */
async function peakOf(args: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    ...args,
  ])
  return Number(stdout)
}
