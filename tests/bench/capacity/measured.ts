// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { select } from '#core/ports/needs.ts'
import type { Row } from '#core/ports/table.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { createMarkCleaner } from '#core/server/sequence/marks/clear-marks.ts'
import { MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { CHAIN_CHARACTERS, markedBlock } from '#core/server/store/attempt.ts'
import { WITNESSED_PARTITION } from '#core/server/store/log.ts'
import { appendBlock } from '#functions/writer/operations.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { time } from '../measure.ts'
import { HOME, INSTITUTION } from '../worlds/durable.ts'
import { newChain } from '../worlds/prepared-chain.ts'
import { growUnsigned } from '../worlds/unsigned-blocks.ts'
import { each, perAndBase, tallyCalls, type Tally } from './tally.ts'

/** Chains with one new block each, in two runs of which the difference is counted. */
const FEW = 16
const MANY = 96
const APPENDS = 16
/** Bytes of the one entry of an append. */
export const ENTRY_BYTES = 1500
/** Leaves of the run by which the growth of the log is measured, of a few chains. */
const LARGE_RUN = 2000
const LARGE_CHAINS = 4

/** What this run measured on the memory platform: nothing in it is typed in. */
export interface Measured {
  readonly append: Tally
  /** A run of the sequencer: what it always does, and for each chain that it has not in memory and that has one block. */
  readonly run: Tally
  readonly perChain: Tally
  readonly receipt: Tally
  /** Removing one mark of a chain with one mark. */
  readonly clean: Tally
  readonly markBytes: number
  readonly cpuMsPerChain: number
  readonly cpuMsPerMark: number
  /** Bytes of tiles and bundles of a leaf in a large run, and of the row that says where a chain's block is. */
  readonly logBytesPerLeaf: number
  readonly leafRowBytes: number
  /** Bytes of one row of a checkpoint that two witnesses cosigned. */
  readonly witnessedRowBytes: number
}

/** Counts everything, on the memory platform. */
export async function measureCalls(): Promise<Measured> {
  const tallied: { current: ReturnType<typeof tallyCalls> | null } = { current: null }
  const world = await testDeployment([INSTITUTION], {
    platform: (base) => (tallied.current = tallyCalls(base)).platform,
  })
  const { current: counter } = tallied
  if (!counter) throw new Error('nothing was counted')
  const append = await appendCost(world, counter)
  const sequencing = await sequencingCost(world, counter)
  const witnessedRowBytes = await witnessedRow()
  return { append, ...sequencing, witnessedRowBytes }
}

type Counter = ReturnType<typeof tallyCalls>

/** What one append of one entry costs the home: the request itself, and not what its client read before. */
async function appendCost(world: TestDeployment, counter: Counter): Promise<Tally> {
  const tallies: Tally[] = []
  const connection = world.connect(INSTITUTION, {
    fetch: async (request) => {
      const isAppend = request.method === 'POST' && new URL(request.url).pathname === appendBlock.pattern
      counter.reset()
      const answer = await world.fetch(request)
      if (isAppend) tallies.push(counter.tally())
      return answer
    },
  })
  const { record } = await createRecord(connection, HOME, ['general'])
  const from = tallies.length
  for (let i = 0; i < APPENDS; i++)
    await connection.append(record, [
      { header: utf8('{}'), content: new Uint8Array(ENTRY_BYTES).fill(i), compartment: 'general' },
    ])
  return each(sum(tallies.slice(from)), tallies.length - from)
}

async function sequencingCost(world: TestDeployment, counter: Counter) {
  const chains: Replica[] = []
  for (let i = 0; i < 2 * FEW + MANY + LARGE_CHAINS; i++) chains.push(await newChain(world))
  await world.tendLog()
  // So late that nothing which was appended so far is looked at again.
  world.clock.now += 2 * MARK_LIFE_MS
  // These have two marks each.
  await cleanCost(world, counter)
  const sequencer = createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home)
  await sequencer.run()
  const runOf = async (some: readonly Replica[], blocks = 1) => {
    world.clock.now += 1000
    for (const chain of some) await growUnsigned(world, chain, blocks)
    counter.reset()
    const count = some.length * blocks
    const { cpuMs } = await time(async () => {
      const { added } = await sequencer.run()
      if (added !== count) throw new Error(`${added} of ${count} blocks were logged`)
    })
    return { tally: counter.tally(), cpuMs, count }
  }
  // What a process reads of the log once, and what V8 compiles, is not of a run.
  await runOf(chains.slice(MANY + FEW, MANY + 2 * FEW))
  const few = await runOf(chains.slice(MANY, MANY + FEW))
  const many = await runOf(chains.slice(0, MANY))
  const { per, base } = perAndBase([few.tally, FEW], [many.tally, MANY])
  const receipt = await receiptCost(world, counter, chains.slice(0, MANY))
  world.clock.now += 2 * MARK_LIFE_MS
  const cleaning = await cleanCost(world, counter)
  const large = await runOf(chains.slice(-LARGE_CHAINS), LARGE_RUN / LARGE_CHAINS)
  const row = per['table.leaves.insert']
  return {
    ...cleaning,
    run: base,
    perChain: per,
    receipt,
    cpuMsPerChain: Math.max(large.cpuMs / large.count, (many.cpuMs - few.cpuMs) / (MANY - FEW)),
    cpuMsPerMark: await markCost(world),
    logBytesPerLeaf: (large.tally['objects.log.store']?.bytes ?? 0) / large.count,
    leafRowBytes: row ? row.bytes / row.calls : 0,
  }
}

/** What removing old marks costs: reads for each chain, a swap for each mark. */
async function cleanCost(
  world: TestDeployment,
  counter: Counter,
): Promise<Pick<Measured, 'clean' | 'markBytes'>> {
  const { dirty, leaves, blocks } = (await select(world.platform, SEQUENCER_NEEDS)).tables
  counter.reset()
  await createMarkCleaner({ dirty, leaves, blocks }).step(world.clock.now)
  const { 'table.dirty.range': read, 'table.dirty.swap': swaps, ...reads } = counter.tally()
  const chains = reads['table.leaves.range']?.calls ?? 0
  if (!read || !swaps || chains === 0) throw new Error('no mark was removed')
  return {
    clean: { ...each(reads, chains), 'table.dirty.swap': { calls: 1, bytes: swaps.bytes / swaps.calls } },
    markBytes: read.bytes / swaps.calls,
  }
}

/** One receipt of each of several chains in one tree, by a process that has just begun. */
async function receiptCost(
  world: TestDeployment,
  counter: Counter,
  chains: readonly Replica[],
): Promise<Tally> {
  const { tables, objects } = await select(world.platform, {
    tables: { blocks: 'read', states: 'read', checkpoints: 'read', leaves: 'read', receipts: 'read' },
    objects: { log: 'fetch' },
    keys: {},
  })
  counter.reset()
  for (const { chain, link } of chains) {
    const found = await receiptFinder({ tables, objects }, null)(chain, link.opened.block.height + 1)
    if (!found) throw new Error('a block has no receipt')
  }
  return each(counter.tally(), chains.length)
}

/** CPU time of reading one mark that was fetched. */
async function markCost(world: TestDeployment): Promise<number> {
  const rows: Row[] = []
  for (const shard of CHAIN_CHARACTERS) rows.push(...(await world.platform.table('dirty').range(shard)))
  const rounds = 10
  const { cpuMs } = await time(async () => {
    for (let i = 0; i < rounds; i++) for (const row of rows) if (!markedBlock(row)) throw new Error('no mark')
  })
  return cpuMs / (rounds * rows.length)
}

async function witnessedRow(): Promise<number> {
  const { world, clock } = await witnessedWorld(['w1', 'w2'], 2)
  await newChain(world)
  clock.now += 1000
  await world.tendLog()
  const [row] = await world.platform.table('checkpoints').range(WITNESSED_PARTITION, { limit: 1 })
  if (!row) throw new Error('no checkpoint is witnessed')
  return WITNESSED_PARTITION.length + row.key.length + row.value.length
}

function sum(tallies: readonly Tally[]): Tally {
  const total: Record<string, { calls: number; bytes: number }> = {}
  for (const [name, { calls, bytes }] of tallies.flatMap((tally) => Object.entries(tally))) {
    const known = total[name] ?? { calls: 0, bytes: 0 }
    total[name] = { calls: known.calls + calls, bytes: known.bytes + bytes }
  }
  return total
}
