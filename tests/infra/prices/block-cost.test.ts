// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { blockCost, type BlockFacts, type PortCalls } from '#infra/prices/block-cost.ts'

const calls = (bytes: number, ...names: readonly string[]): PortCalls =>
  Object.fromEntries(names.map((name) => [name, { calls: 1, bytes }]))

/** Counts that are made up: laws hold for any. The benchmark measures its own. */
const FACTS: BlockFacts = {
  append: calls(
    900,
    'table.blocks.range',
    'table.states.get',
    'table.blocks.insert',
    'objects.entries.store',
  ),
  run: calls(
    900,
    'table.checkpoints.get',
    'table.dirty.range',
    'objects.log.store',
    'table.checkpoints.swap',
  ),
  perChain: calls(900, 'table.leaves.range', 'table.leaves.insert'),
  clean: calls(200, 'table.dirty.swap'),
  writerMb: 1024,
  sequencerMb: 1024,
  lineBytes: 200,
}

describe.each(['aws', 'azure'] as const)('what a thousand blocks cost on %s', (provider) => {
  const usd = (facts: Partial<BlockFacts> = {}, blocksPerRun = 10) =>
    blockCost(provider, { ...FACTS, ...facts }, blocksPerRun).usd

  it('is less the more of them a run logs, and never less than what each needs', () => {
    const each = [1, 2, 10, 100, 1000].map((blocksPerRun) => usd({}, blocksPerRun))
    expect(each.toSorted((a, b) => b - a)).toEqual(each)
    expect(usd({ run: {} }, 1000)).toBeLessThan(each.at(-1) ?? 0)
  })

  it('grows with every call, with larger rows, with memory and with what is logged', () => {
    const more: readonly Partial<BlockFacts>[] = [
      { append: { ...FACTS.append, ...calls(900, 'table.wraps.insert') } },
      { append: { ...FACTS.append, ...calls(9000, 'table.blocks.insert') } },
      { perChain: { ...FACTS.perChain, ...calls(0, 'table.labels.get') } },
      { run: { ...FACTS.run, ...calls(900, 'objects.staging.store') } },
      { writerMb: 2048 },
      { lineBytes: 2000 },
    ]
    for (const facts of more) expect(usd(facts)).toBeGreaterThan(usd())
  })

  it('has nothing of keys: no block asks a key service', () => {
    const { lines } = blockCost(provider, FACTS, 10)
    expect(lines.map(({ price }) => price)).not.toContain('keyCalls')
    expect(lines.every(({ usd: one }) => one > 0)).toBe(true)
  })
})

it('looks at one shard of marks where one block woke the sequencer, and at all where very many did', () => {
  const readsOf = (blocksPerRun: number) => {
    const only = { ...FACTS, append: {}, run: calls(0, 'table.dirty.range'), perChain: {}, clean: {} }
    const reads = blockCost('aws', only, blocksPerRun).lines.find(({ price }) => price === 'tableReads')
    return ((reads?.amount ?? 0) * blocksPerRun) / 1000
  }
  expect(readsOf(1)).toBeCloseTo(1, 10)
  expect(readsOf(2)).toBeCloseTo(2 - 1 / 64, 10)
  expect(readsOf(1000)).toBeCloseTo(64, 4)
})

it('counts units as the provider does: of one row of 1,900 bytes that is written 2 on AWS', () => {
  const only = { ...FACTS, append: calls(1900, 'table.wraps.insert'), run: {}, perChain: {}, clean: {} }
  expect(blockCost('aws', only, 10).lines.find(({ price }) => price === 'tableWrites')?.amount).toBe(2000)
})
