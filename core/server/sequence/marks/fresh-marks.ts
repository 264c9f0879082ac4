// SPDX-License-Identifier: Apache-2.0
import { timestampMs } from '../../../bytes/timestamp.ts'
import { isAmpereError } from '../../../errors.ts'
import type { RowName } from '../../../ports/table.ts'
import { CHAIN_CHARACTERS } from '../../store/attempt.ts'

/**
 * Where marks are said to be new: by shard, the time of the oldest, in milliseconds. It says where to look first and nothing
 * else: what it leaves out is found by the next look at all shards, and what it makes up is not there.
 */
export type FreshMarks = ReadonlyMap<string, number>

/** Where to look for the marks of these rows; what cannot be the name of a mark leads nowhere. */
export function freshMarks(rows: readonly RowName[]): FreshMarks {
  const fresh = new Map<string, number>()
  for (const { partition, key } of rows) {
    const timeMs = timeOf(key)
    if (partition.length !== 1 || !CHAIN_CHARACTERS.includes(partition) || timeMs === null) continue
    fresh.set(partition, Math.min(fresh.get(partition) ?? timeMs, timeMs))
  }
  return fresh
}

/** What both say; null is all shards. */
export function mergeFresh(a: FreshMarks | null, b: FreshMarks | null): FreshMarks | null {
  if (a === null || b === null) return null
  const merged = new Map(a)
  for (const [shard, timeMs] of b) merged.set(shard, Math.min(merged.get(shard) ?? timeMs, timeMs))
  return merged
}

function timeOf(key: string): number | null {
  try {
    return timestampMs(key.slice(0, key.indexOf('/')))
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}
