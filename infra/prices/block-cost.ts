// SPDX-License-Identifier: Apache-2.0
import { CHAIN_CHARACTERS } from '#core/server/store/attempt.ts'
import type { Provider } from '#infra/bundle/bundle.ts'
import { BILLED_MS, CALL_LOG_BYTES } from './idle-cost.ts'
import { costOf, totalOf, type Amount, type Cost } from './prices.ts'
import { UNITS } from './units.ts'

/** Calls of a port by name (`table.blocks.insert`), with the bytes of all of them together. */
export type PortCalls = Readonly<Record<string, { readonly calls: number; readonly bytes: number }>>

/** What was counted, and what the template gives. */
export interface BlockFacts {
  /** An append of one entry, the request alone. */
  readonly append: PortCalls
  /** A run of the sequencer that looks at every shard of marks: whatever it logs, and for each record with one block. */
  readonly run: PortCalls
  readonly perChain: PortCalls
  /** Removing the mark of one block, afterwards. */
  readonly clean: PortCalls
  readonly writerMb: number
  readonly sequencerMb: number
  /** Bytes of the line that the writer logs of an append. */
  readonly lineBytes: number
}

/** What a thousand blocks of one entry cost, in USD, each of a record of its own. */
export interface BlockCost {
  readonly lines: readonly Cost[]
  readonly usd: number
  /** What they then cost each month, stored. */
  readonly storedUsd: number
}

const BLOCKS = 1000
const GB = 1e9
/** Bytes of a row beside partition, key and value: names and a version; Cosmos DB's own fields, and base64. */
const ROW_BYTES: Readonly<Record<Provider, (bytes: number) => number>> = {
  aws: (bytes) => bytes + 40,
  azure: (bytes) => (bytes * 4) / 3 + 300,
}
/** How long a call takes, in milliseconds, and how many reads of marks are made at a time: assumed, as in docs/CAPACITY.md. */
const CALL_MS: Readonly<Record<Provider, { readonly table: number; readonly object: number }>> = {
  aws: { table: 5, object: 30 },
  azure: { table: 8, object: 30 },
}
const MARKS_AT_ONCE = 16

/**
 * What a thousand blocks cost at so many in a run of the sequencer: stores, functions, requests, logs. Keys cost nothing for each
 * block: none of a key service is used. Where a provider bills a function by whole seconds of its instance, the appends of one
 * run share one, because they came between two runs a second apart.
 */
export function blockCost(provider: Provider, facts: BlockFacts, blocksPerRun: number): BlockCost {
  const runs = BLOCKS / blocksPerRun
  const woken = wokenRun(facts, blocksPerRun)
  const parts: readonly (readonly [PortCalls, number])[] = [
    [facts.append, BLOCKS],
    [facts.perChain, BLOCKS],
    [facts.clean, BLOCKS],
    [woken, runs],
  ]
  const amounts: readonly Amount[] = [
    ...storeAmounts(provider, parts),
    { what: 'requests at the front', price: 'requests', amount: BLOCKS },
    { what: 'calls of functions', price: 'functionCalls', amount: BLOCKS + runs },
    {
      what: 'memory while they run',
      price: 'functionGbSeconds',
      amount: gbSeconds(provider, { ...facts, run: woken }, runs),
    },
    {
      what: 'logs',
      price: 'logs',
      amount: (BLOCKS * facts.lineBytes + (BLOCKS + runs) * CALL_LOG_BYTES[provider]) / GB,
    },
  ]
  const lines = amounts.filter(({ amount }) => amount > 0).map((amount) => costOf(provider, amount))
  return { lines, usd: totalOf(provider, lines).usd, storedUsd: storedCost(provider, facts, runs) }
}

const LOOK = 'table.dirty.range'

/**
 * A run that marks of so many records woke: it looks at the shards that these are in, so many as one expects where each is in any
 * with the same chance. What the schedule looks at each minute is in what an idle month costs.
 */
function wokenRun({ run, perChain }: BlockFacts, blocksPerRun: number): PortCalls {
  const all = CHAIN_CHARACTERS.length
  const looks = all * (1 - (1 - 1 / all) ** blocksPerRun)
  const bytes = (run[LOOK]?.bytes ?? 0) * (looks / all) + (perChain[LOOK]?.bytes ?? 0) * blocksPerRun
  return { ...run, [LOOK]: { calls: looks, bytes } }
}

function storeAmounts(
  provider: Provider,
  parts: readonly (readonly [PortCalls, number])[],
): readonly Amount[] {
  const { read, query, write, isShared } = UNITS[provider]
  const sums = { reads: 0, writes: 0, stores: 0, fetches: 0 }
  for (const [calls, times] of parts)
    for (const [name, { calls: count, bytes }] of Object.entries(calls)) {
      const [port, , method] = name.split('.')
      const row = ROW_BYTES[provider](count === 0 ? 0 : bytes / count)
      if (port === 'objects' && method === 'store') sums.stores += times * count
      if (port === 'objects' && method === 'fetch') sums.fetches += times * count
      if (port !== 'table') continue
      if (method === 'get') sums.reads += times * count * read(row)
      else if (method === 'range') sums.reads += times * count * query(bytes === 0 ? 0 : row)
      else sums.writes += times * count * write(row)
    }
  return [
    ...(isShared
      ? [{ what: 'tables read and written', price: 'tableUnits', amount: sums.reads + sums.writes } as const]
      : [
          { what: 'tables read', price: 'tableReads', amount: sums.reads } as const,
          { what: 'tables written', price: 'tableWrites', amount: sums.writes } as const,
        ]),
    { what: 'objects stored', price: 'objectWrites', amount: sums.stores },
    { what: 'objects read', price: 'objectReads', amount: sums.fetches },
  ]
}

function gbSeconds(provider: Provider, facts: BlockFacts, runs: number): number {
  const perRun = BLOCKS / runs
  const [writerGb, sequencerGb] = [facts.writerMb / 1024, facts.sequencerMb / 1024]
  const appendS = secondsOf(provider, facts.append)
  const runS =
    secondsOf(provider, facts.run) + perRun * secondsOf(provider, { ...facts.perChain, ...facts.clean })
  if (provider === 'aws') return BLOCKS * writerGb * appendS + runs * sequencerGb * runS
  const least = BILLED_MS.azure / 1000
  return runs * (writerGb * Math.max(least, appendS) + sequencerGb * Math.max(least, runS))
}

/** As if calls were made one after the other, save the reads of marks. */
function secondsOf(provider: Provider, calls: PortCalls): number {
  const { table, object } = CALL_MS[provider]
  const ms = Object.entries(calls).map(([name, { calls: count }]) => {
    if (name === 'table.dirty.range') return (count * table) / MARKS_AT_ONCE
    return count * (name.startsWith('table.') ? table : name.startsWith('objects.') ? object : 0)
  })
  return ms.reduce((sum, one) => sum + one, 0) / 1000
}

/** Rows and objects that stay; marks and what is staged go. */
const ROWS = /^table\.(?!dirty\.)\w+\.insert$/
const OBJECTS = /^objects\.(?!staging\.)\w+\.store$/

function storedCost(provider: Provider, facts: BlockFacts, runs: number): number {
  const rows = BLOCKS * (bytesOf(facts.append, ROWS) + bytesOf(facts.perChain, ROWS))
  const objects = BLOCKS * bytesOf(facts.append, OBJECTS) + runs * bytesOf(facts.run, OBJECTS)
  const stored: readonly Amount[] = [
    { what: 'rows', price: 'tableStorage', amount: rows / GB },
    { what: 'backups of rows', price: 'tableRecovery', amount: rows / GB },
    { what: 'objects', price: 'objectStorage', amount: objects / GB },
  ]
  return stored.reduce((sum, amount) => sum + costOf(provider, amount).usd, 0)
}

function bytesOf(calls: PortCalls, which: RegExp): number {
  return Object.entries(calls).reduce((sum, [name, { bytes }]) => sum + (which.test(name) ? bytes : 0), 0)
}
