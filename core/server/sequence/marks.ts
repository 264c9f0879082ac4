// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import type { ReadTable } from '../../ports/table.ts'
import { APPEND_DEADLINE_MS } from '../append/store-parts.ts'
import { attemptOf, CHAIN_CHARACTERS } from '../store/attempt.ts'

/** A mark older than this leads to no block any more: appends give up before, and clocks differ by less than the rest. */
export const MARK_LIFE_MS = APPEND_DEADLINE_MS + 5 * 60_000
/** How far behind the last look each look begins: an insert that took this long is still seen by the next. */
const OVERLAP_MS = 10_000
/** How often all marks that may still lead to a block are looked at, for inserts that took longer. */
const WHOLE_EVERY_MS = 2 * 60_000
const PAGE = 1000

/** Chains in which something may be to log. */
export interface MarkReader {
  /** Takes in the marks that are new. `nowMs` is the time at which the look begins. */
  look(nowMs: number): Promise<void>
  /** Chains with a mark for a height that is not known to be logged, the oldest mark first. */
  dirty(): readonly { readonly chain: ChainId; readonly height: number }[]
  /** Says how far a chain is logged. */
  logged(chain: ChainId, height: number): void
  /** Everything marked before this was logged, or will never be a block. */
  cursor(): Timestamp
}

interface Waiting {
  height: number
  /** Time of the oldest mark that waits. */
  sinceMs: number
}

/** Reads marks from `cursor` on: after a restart, the one that the last commit holds. */
export function createMarkReader(dirty: ReadTable, cursor: Timestamp): MarkReader {
  const waiting = new Map<ChainId, Waiting>()
  let lastMs = timestampMs(cursor)
  let wholeMs = Number.NEGATIVE_INFINITY
  return {
    look: async (nowMs) => {
      const isWhole = nowMs - wholeMs >= WHOLE_EVERY_MS
      const from = toTimestamp(Math.max(0, Math.min(lastMs, nowMs) - (isWhole ? MARK_LIFE_MS : OVERLAP_MS)))
      await Promise.all(CHAIN_CHARACTERS.split('').map((shard) => readShard(dirty, shard, from, waiting)))
      if (isWhole) wholeMs = nowMs
      lastMs = nowMs
      for (const [chain, { sinceMs }] of waiting) if (sinceMs < nowMs - MARK_LIFE_MS) waiting.delete(chain)
    },
    dirty: () =>
      [...waiting]
        .toSorted(([, a], [, b]) => a.sinceMs - b.sinceMs)
        .map(([chain, { height }]) => ({ chain, height })),
    logged: (chain, height) => {
      const known = waiting.get(chain)
      if (known && height >= known.height) waiting.delete(chain)
    },
    cursor: () => {
      let oldest = lastMs
      for (const { sinceMs } of waiting.values()) oldest = Math.min(oldest, sinceMs)
      return toTimestamp(oldest)
    },
  }
}

async function readShard(
  dirty: ReadTable,
  shard: string,
  start: string,
  waiting: Map<ChainId, Waiting>,
): Promise<void> {
  for (let from = start; ;) {
    const rows = await dirty.range(shard, { from, limit: PAGE })
    for (const row of rows) {
      const attempt = attemptOf(row)
      if (!attempt) continue
      const sinceMs = timestampMs(attempt.time)
      const known = waiting.get(attempt.chain)
      waiting.set(attempt.chain, {
        height: Math.max(known?.height ?? 0, attempt.height),
        sinceMs: Math.min(known?.sinceMs ?? sinceMs, sinceMs),
      })
    }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    from = `${last.key}\u0000`
  }
}
