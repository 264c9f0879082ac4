// SPDX-License-Identifier: Apache-2.0
import type { BlockId, ChainId } from '../../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../../bytes/timestamp.ts'
import type { ReadTable } from '../../../ports/table.ts'
import { APPEND_DEADLINE_MS, CLOCKS_DIFFER_MS } from '../../append/store-parts.ts'
import { CHAIN_CHARACTERS, dirtyShard, markedBlock, type MarkedBlock } from '../../store/attempt.ts'
import type { FreshMarks } from './fresh-marks.ts'

/** A mark older than this leads to no block any more: appends give up before, and clocks differ by less than the rest. */
export const MARK_LIFE_MS = APPEND_DEADLINE_MS + CLOCKS_DIFFER_MS
/** How far behind the one before a look begins, and how often one begins so far back at least. */
interface Reach {
  readonly backMs: number
  readonly everyMs: number
}

/**
 * Marks are read again because an insert may take long and clocks differ. Far looks are rare, as they read much: what an
 * insert delayed by up to two minutes led to is still logged within the 60 s that were promised.
 */
export const REACHES: readonly Reach[] = [
  { backMs: 500, everyMs: 0 },
  { backMs: 3_000, everyMs: 1_000 },
  { backMs: 2 * 60_000, everyMs: 30_000 },
  { backMs: MARK_LIFE_MS, everyMs: 10 * 60_000 },
]
/** Marks of one shard that are read at once. */
export const MARK_PAGE = 1000
const NO_BLOCKS: ReadonlySet<BlockId> = new Set()

/** A chain with the newest height that was marked and is not known to be logged, and the time of the oldest mark that waits. */
export interface MarkedHeight {
  readonly chain: ChainId
  readonly height: number
  readonly sinceMs: number
}

/** Chains in which something may be to log. */
export interface MarkReader {
  /**
   * Takes in the marks that are new: of all shards, or only of those that are said to have some, each from where it was last
   * read on. `nowMs` is the time at which the look begins.
   */
  look(nowMs: number, fresh?: FreshMarks | null): Promise<void>
  /** Chains with a mark for a height that is not known to be logged, the oldest mark first. */
  dirty(): readonly MarkedHeight[]
  /** Ids of the blocks that marks name which wait in a chain: those that writers admitted, or were about to store. */
  marked(chain: ChainId): ReadonlySet<BlockId>
  /** Says how far a chain is logged. */
  logged(chain: ChainId, height: number): void
  /** Takes in a chain of which a block was found that its marks did not lead to in time. */
  found(chain: ChainId, height: number, sinceMs: number): void
  /** Says that a chain has no block after that height: marks for one that are too old are given up. */
  ended(chain: ChainId, height: number): void
  /** Everything marked before this was logged, or will never be a block. */
  cursor(): Timestamp
}

interface Waiting {
  height: number
  readonly blocks: Set<BlockId>
  /** Times of the oldest mark that waits, and of the newest. */
  sinceMs: number
  newestMs: number
}

/** Reads marks from `cursor` on: after a restart, the one that the last commit holds. */
export function createMarkReader(dirty: ReadTable, cursor: Timestamp): MarkReader {
  const waiting = new Map<ChainId, Waiting>()
  const logged = (chain: ChainId, height: number) => {
    const known = waiting.get(chain)
    if (known && height >= known.height) waiting.delete(chain)
  }
  const found = (chain: ChainId, height: number, sinceMs: number) =>
    note(waiting, { chain, height, timeMs: sinceMs, block: null })
  const shards = new Map(CHAIN_CHARACTERS.split('').map((shard) => [shard, shardFrom(timestampMs(cursor))]))
  return {
    look: async (nowMs, fresh = null) => {
      const looked = [...shards].filter(([shard]) => fresh?.has(shard) ?? true)
      await Promise.all(
        looked.map(async ([shard, known]) => {
          const due = dueReaches(known, nowMs)
          const fromMs = Math.min(startMs(known, due, nowMs), freshMs(fresh?.get(shard), nowMs))
          await readShard(dirty, shard, toTimestamp(Math.max(0, fromMs)), waiting)
          for (const reach of due) known.lookedMs.set(reach, nowMs)
          known.lastMs = nowMs
        }),
      )
    },
    dirty: () =>
      [...waiting]
        .toSorted(([, a], [, b]) => a.sinceMs - b.sinceMs)
        .map(([chain, { height, sinceMs }]) => ({ chain, height, sinceMs })),
    marked: (chain) => waiting.get(chain)?.blocks ?? NO_BLOCKS,
    logged,
    found,
    ended: (chain, height) => {
      logged(chain, height)
      const known = waiting.get(chain)
      const lookedMs = shards.get(dirtyShard(chain))?.lastMs ?? Number.NEGATIVE_INFINITY
      if (known && known.newestMs < lookedMs - MARK_LIFE_MS) waiting.delete(chain)
    },
    cursor: () => {
      let oldest = Number.POSITIVE_INFINITY
      for (const { lastMs } of shards.values()) oldest = Math.min(oldest, lastMs)
      for (const { sinceMs } of waiting.values()) oldest = Math.min(oldest, sinceMs)
      return toTimestamp(oldest)
    },
  }
}

/** How far a shard was read, and when it was last read so far back. */
interface Shard {
  lastMs: number
  readonly lookedMs: Map<Reach, number>
}

function shardFrom(lastMs: number): Shard {
  return { lastMs, lookedMs: new Map() }
}

function dueReaches({ lastMs, lookedMs }: Shard, nowMs: number): readonly Reach[] {
  // A clock that was set back says nothing of how long ago the last looks were.
  if (nowMs < lastMs) lookedMs.clear()
  return REACHES.filter((reach) => nowMs - (lookedMs.get(reach) ?? Number.NEGATIVE_INFINITY) >= reach.everyMs)
}

function startMs({ lastMs }: Shard, due: readonly Reach[], nowMs: number): number {
  return Math.min(lastMs, nowMs) - Math.max(...due.map((reach) => reach.backMs))
}

/** A mark that is said to be there is read wherever it stands, if it can still lead to a block. */
function freshMs(saidMs: number | undefined, nowMs: number): number {
  return saidMs === undefined ? nowMs : Math.max(saidMs, nowMs - MARK_LIFE_MS)
}

async function readShard(
  dirty: ReadTable,
  shard: string,
  start: string,
  waiting: Map<ChainId, Waiting>,
): Promise<void> {
  for (let from = start; ;) {
    const rows = await dirty.range(shard, { from, limit: MARK_PAGE })
    for (const row of rows) {
      const marked = markedBlock(row)
      if (marked) note(waiting, marked)
    }
    const last = rows.at(-1)
    if (!last || rows.length < MARK_PAGE) return
    from = `${last.key}\u0000`
  }
}

function note(
  waiting: Map<ChainId, Waiting>,
  { chain, height, timeMs, block }: Omit<MarkedBlock, 'block'> & { readonly block: BlockId | null },
): void {
  const known = waiting.get(chain)
  const blocks = known?.blocks ?? new Set<BlockId>()
  if (block !== null) blocks.add(block)
  waiting.set(chain, {
    height: Math.max(known?.height ?? 0, height),
    blocks,
    sinceMs: Math.min(known?.sinceMs ?? timeMs, timeMs),
    newestMs: Math.max(known?.newestMs ?? timeMs, timeMs),
  })
}
