// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { countCalls } from '#adapters/around/counts.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { parseBlock } from '#core/block/open-block.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { select } from '#core/ports/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { dirtyShard, markOf } from '#core/server/store/attempt.ts'
import { heightKey } from '#core/server/store/rows.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { buildPrograms, startTesseraLog, whatIsMissing } from '#tests/interop/go/programs.ts'
import {
  cpuMicros,
  figure,
  perSecond,
  ratios,
  time,
  type Bench,
  type Figure,
  type Sample,
} from '../measure.ts'
import { durableDeployment, inFolder, INSTITUTION } from '../worlds/durable.ts'
import { insertPrepared, newChain } from '../worlds/prepared-chain.ts'
import { floorLog } from './sequence-floor.ts'

const CHAINS = 64
const PER_CHAIN = 64
const LEAVES = CHAINS * PER_CHAIN
/** Fewer than elsewhere: signing the blocks of a round takes longer than logging them. */
const SEQUENCE_ROUNDS = 5

export const bench: Bench = {
  question: 'How many leaves per second does a sequencer log, durably?',
  run: () =>
    inFolder(async (folder) => {
      const ours: Sample[] = []
      const unjudged: Sample[] = []
      const theirs: Peers<Sample[]> = { usual: [], whole: [] }
      const counts: number[] = []
      const missing = whatIsMissing()
      const peers = missing === null ? await startPeers(folder) : null
      const counted: { calls: ReturnType<typeof countCalls> | null } = { calls: null }
      const world = await durableDeployment(join(folder, 'home'), (base) => {
        counted.calls = countCalls(base)
        return counted.calls.platform
      })
      const sequencer = createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home)
      const floorWorld = await durableDeployment(join(folder, 'floor'))
      const floor = await floorLog(floorWorld)
      let chains = await Promise.all(Array.from({ length: CHAINS }, () => newChain(world)))
      await sequencer.run()
      for (let round = -1; round < SEQUENCE_ROUNDS; round++) {
        const before = chains
        chains = await Promise.all(chains.map((chain) => grow(world, chain)))
        const least = await time(async () => allAdded(await floor.run(world.platform, before)))
        counted.calls?.reset()
        const own = await time(async () => {
          const { added } = await sequencer.run()
          allAdded(added)
        })
        const calls = Object.values(counted.calls?.counts() ?? {}).reduce((sum, each) => sum + each, 0)
        const usual = peers && (await time(() => peers.usual.ask(String(LEAVES))))
        const whole = peers && (await time(() => peers.whole.ask(String(LEAVES))))
        if (round < 0) continue
        ours.push(own)
        unjudged.push(least)
        counts.push(calls)
        if (usual) theirs.usual.push(usual)
        if (whole) theirs.whole.push(whole)
      }
      await peers?.usual.stop()
      await peers?.whole.stop()
      await world.platform.close()
      await floorWorld.platform.close()
      const absent = missing === null ? '' : ` Tessera is not in it: ${missing}.`
      return {
        sizes: `${CHAINS} chains with ${PER_CHAIN} new blocks each, one run of ${LEAVES} leaves a round, ${SEQUENCE_ROUNDS} rounds; local adapter, durable; Tessera POSIX as many leaves of 65 bytes, until the checkpoint that covers them is published`,
        figures: figuresOf(ours, unjudged, theirs, counts),
        doesNotShow: `appending the blocks; chains with one new block each, of which each costs three reads more; witnesses.${absent}`,
      }
    }),
}

/** Tessera with batches of 256, which is its default, and with one batch for all leaves of a round. */
interface Peers<T> {
  readonly usual: T
  readonly whole: T
}

async function startPeers(folder: string) {
  buildPrograms()
  return {
    usual: await startTesseraLog(join(folder, 'usual'), ['-batch', '256']),
    whole: await startTesseraLog(join(folder, 'whole'), ['-batch', String(LEAVES)]),
  }
}

function allAdded(added: number): void {
  if (added !== LEAVES) throw new Error(`${added} leaves were logged`)
}

/** Puts blocks and their marks where a writer puts them. */
async function grow(world: TestDeployment, replica: Replica): Promise<Replica> {
  const { instance } = world.institution(INSTITUTION)
  const blocks = world.platform.table('blocks')
  const from = replica.link.opened.block.height + 1
  const at = { ...replica, notes: Array.from({ length: from }) as unknown as Replica['notes'] }
  const next = await insertPrepared(blocks, at, instance, from + PER_CHAIN - 1)
  const rows = await blocks.range(replica.chain, { from: heightKey(from) })
  const dirty = world.platform.table('dirty')
  await Promise.all(
    rows.map(({ value }) => {
      const mark = markOf(parseBlock(fromUtf8(value)), world.clock.now)
      return dirty.insert(dirtyShard(replica.chain), mark.key, mark.value)
    }),
  )
  return next
}

function figuresOf(
  ours: readonly Sample[],
  unjudged: readonly Sample[],
  theirs: Peers<readonly Sample[]>,
  counts: readonly number[],
): readonly Figure[] {
  const own = perSecond(LEAVES, ours)
  const peer = perSecond(LEAVES, theirs.usual)
  const floor = perSecond(LEAVES, unjudged)
  return [
    figure('logged: read, judged, labelled, staged, signed, committed, stored', 'leaves/s', own),
    figure('floor: all of that but the judging', 'leaves/s', floor),
    figure('ratio to the floor', '', ratios(own, floor)),
    ...(peer.length > 0
      ? [
          figure('peer: Tessera POSIX, batches of 256', 'leaves/s', peer),
          figure('ratio to the peer', '', ratios(own, peer), { atLeast: 1 }),
          figure(`the peer, batches of ${LEAVES}`, 'leaves/s', perSecond(LEAVES, theirs.whole)),
        ]
      : []),
    figure('CPU per leaf', 'us', cpuMicros(LEAVES, ours)),
    figure(`storage calls and signatures per run of ${LEAVES}`, '', counts),
  ]
}
