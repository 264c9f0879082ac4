// SPDX-License-Identifier: Apache-2.0
import { countCalls } from '#adapters/around/counts.ts'
import type { Platform } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { join } from 'node:path'
import { figure, type Bench, type Figure } from '../measure.ts'
import { durableDeployment, inFolder } from '../worlds/durable.ts'
import { newChain } from '../worlds/prepared-chain.ts'
import { growUnsigned } from '../worlds/unsigned-blocks.ts'

/** Leaves of a run, which is what a second brings; all of one chain. */
const RUN = 1000
const RUN_MS = 1000
/** SLOW=1 goes on to a million, which takes some ten minutes. */
const SIZES = [1_000, 10_000, 100_000, ...(process.env['SLOW'] === '1' ? [1_000_000] : [])]
/** Leaves that come one in a run: each leaves a partial tile and a partial bundle behind. */
const SINGLE = 256

export const bench: Bench = {
  question: 'How many bytes and requests does a leaf of the log cost?',
  run: () =>
    inFolder(async (folder) => {
      const figures = [...(await inRuns(join(folder, 'runs'))), ...(await oneByOne(join(folder, 'single')))]
      return {
        sizes: `runs of ${RUN} leaves each to ${SIZES.at(-1)} leaves, and ${SINGLE} runs of one leaf; local adapter; bytes of tiles and bundles, and of the rows that say where blocks are`,
        figures,
        doesNotShow:
          'blocks, objects and key rows; staging bundles, which are removed; how a store bills its requests; witnesses.',
      }
    }),
}

interface Counted {
  readonly platform: Platform
  readonly bytes: () => number
  readonly calls: () => number
}

/** Counts what a sequencer stores for good, and every call that it makes of a store. */
function counted(base: Platform): Counted {
  let bytes = 0
  const { platform, counts } = countCalls(base)
  const log = platform.objects('log')
  const leaves = platform.table('leaves')
  return {
    bytes: () => bytes,
    calls: () =>
      Object.entries(counts()).reduce((sum, [name, n]) => (name.startsWith('key.') ? sum : sum + n), 0),
    platform: {
      ...platform,
      objects: (name) =>
        name === 'log'
          ? { ...log, store: (path, data) => ((bytes += data.length), log.store(path, data)) }
          : platform.objects(name),
      table: (name) =>
        name === 'leaves'
          ? {
              ...leaves,
              insert: (partition, key, value) => (
                (bytes += partition.length + key.length + value.length),
                leaves.insert(partition, key, value)
              ),
            }
          : platform.table(name),
    },
  }
}

async function inRuns(folder: string): Promise<readonly Figure[]> {
  const world = await durableDeployment(folder)
  const { platform, bytes, calls } = counted(world.platform)
  const sequencer = createSequencer(await select(platform, SEQUENCER_NEEDS), world.home)
  const figures: Figure[] = []
  let [logged, atBytes, atCalls] = [(await sequencer.run()).size, bytes(), calls()]
  for (const size of SIZES) {
    const from = logged
    while (logged < size) {
      world.clock.now += RUN_MS
      await growUnsigned(world, await newChain(world), RUN)
      logged = (await sequencer.run()).size
    }
    const added = logged - from
    figures.push(
      figure(`to ${size}: bytes stored per leaf`, 'B', [(bytes() - atBytes) / added]),
      figure(`to ${size}: store requests per 1,000 leaves`, '', [((calls() - atCalls) / added) * 1000]),
    )
    ;[atBytes, atCalls] = [bytes(), calls()]
  }
  await world.platform.close()
  return figures
}

async function oneByOne(folder: string): Promise<readonly Figure[]> {
  const world = await durableDeployment(folder)
  const { platform, bytes, calls } = counted(world.platform)
  const sequencer = createSequencer(await select(platform, SEQUENCER_NEEDS), world.home)
  let chain = await newChain(world)
  await sequencer.run()
  const [fromBytes, fromCalls] = [bytes(), calls()]
  for (let i = 0; i < SINGLE; i++) {
    chain = await growUnsigned(world, chain, 1)
    await sequencer.run()
  }
  await world.platform.close()
  return [
    figure('one leaf a run: bytes stored per leaf', 'B', [(bytes() - fromBytes) / SINGLE]),
    figure('one leaf a run: store requests per leaf', '', [(calls() - fromCalls) / SINGLE]),
  ]
}
