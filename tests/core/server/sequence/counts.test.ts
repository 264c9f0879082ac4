// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { select } from '#core/ports/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { growUnsigned } from '#tests/bench/worlds/unsigned-blocks.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const TILE = 256
/** Blocks that one run reads of one chain at most. */
const PER_CHAIN = 1000

/** A warm sequencer whose calls are counted, a log whose last tile is just full, and so many chains in it. */
async function fullTile(chains: number) {
  const world = await testDeployment(['hospital-a'])
  const connection = world.connect('hospital-a')
  const replicas: Replica[] = []
  for (let i = 0; i < chains; i++) {
    const { record } = await createRecord(connection, HOME, ['general'])
    replicas.push(await connection.replica(record))
  }
  const { platform, counts, reset } = countCalls(world.platform)
  const sequencer = createSequencer(await select(platform, SEQUENCER_NEEDS), world.home, 10_000)
  const { size } = await sequencer.run()
  const [first] = replicas
  if (!first) throw new RangeError('a chain is needed')
  replicas[0] = await growUnsigned(world, first, TILE - (size % TILE))
  await sequencer.run()
  return { world, replicas, sequencer, counts, reset }
}

/** Calls of one run that logs so many leaves, of as few chains as it can. */
async function callsFor(leaves: number) {
  const { world, replicas, sequencer, counts, reset } = await fullTile(Math.ceil(leaves / PER_CHAIN))
  for (const [i, replica] of replicas.entries())
    await growUnsigned(world, replica, Math.min(PER_CHAIN, leaves - i * PER_CHAIN))
  reset()
  const { added } = await sequencer.run()
  return { added, calls: counts() }
}

/** What every run makes that logs something and is warm, whatever it logs. */
const ALWAYS = {
  // The committed tree, and the published one.
  'table.checkpoints.get': 2,
  // Commits, publishes.
  'table.checkpoints.swap': 2,
  'table.registry.range': 1,
  // The promise, and the one before it, which is kept.
  'objects.staging.store': 1,
  'objects.staging.shred': 1,
  'key.log.sign': 2,
  'key.log-quantum.sign': 1,
}

/**
 * What depends on the leaves. Nothing is linear in leaves but what cannot be otherwise: a file per 256 leaves and level,
 * and a page of marks, of which each append writes one. Positions are a row per chain, not per leaf.
 */
const TABLE: readonly (readonly [leaves: number, calls: Readonly<Record<string, number>>])[] = [
  // A partial tile and a partial bundle, whether of 1 entry or of 255.
  [1, { 'table.dirty.range': 64, 'table.blocks.range': 1, 'table.leaves.insert': 1, 'objects.log.store': 2 }],
  [
    255,
    { 'table.dirty.range': 64, 'table.blocks.range': 1, 'table.leaves.insert': 1, 'objects.log.store': 2 },
  ],
  // A full tile, its bundle, and the tile above.
  [
    256,
    { 'table.dirty.range': 64, 'table.blocks.range': 1, 'table.leaves.insert': 1, 'objects.log.store': 3 },
  ],
  // The same, and the partial ones behind them.
  [
    257,
    { 'table.dirty.range': 64, 'table.blocks.range': 1, 'table.leaves.insert': 1, 'objects.log.store': 5 },
  ],
  // Six tiles and bundles of which the last are partial, and the tile above. A chain with a full page of marks has a
  // second page; label keys are read once per chain: one was logged of before.
  [
    1500,
    {
      'table.dirty.range': 64 + 1,
      'table.blocks.range': 2,
      'table.states.get': 1,
      'table.labels.get': 1,
      'table.leaves.insert': 2,
      'objects.log.store': 6 + 6 + 1,
    },
  ],
  [
    10_000,
    {
      'table.dirty.range': 64 + 10,
      'table.blocks.range': 10,
      'table.states.get': 9,
      'table.labels.get': 9,
      'table.leaves.insert': 10,
      'objects.log.store': 40 + 40 + 1,
    },
  ],
]
/** Ten thousand take five seconds, most of them to make and parse the blocks: only with SLOW=1. */
const CASES = process.env['SLOW'] === '1' ? TABLE : TABLE.filter(([leaves]) => leaves < 10_000)

describe('a run of a sequencer', () => {
  it.each(CASES)('makes exactly the calls of the table for %i leaves', async (leaves, calls) => {
    expect(await callsFor(leaves)).toEqual({ added: leaves, calls: { ...ALWAYS, ...calls } })
  })

  it('makes two calls besides looking for marks when there is nothing to log', async () => {
    const { sequencer, counts, reset } = await fullTile(1)
    reset()
    expect((await sequencer.run()).outcome).toBe('idle')
    expect(counts()).toEqual({
      'table.checkpoints.get': 1,
      'table.dirty.range': 64,
      'table.registry.range': 1,
    })
  })
})
