// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../../bytes/ids.ts'
import { toTimestamp, type Timestamp } from '../../../bytes/timestamp.ts'
import { isAmpereError } from '../../../errors.ts'
import type { ReadTable, Row, WriteTable } from '../../../ports/table.ts'
import { attemptOf, CHAIN_CHARACTERS, type Attempt } from '../../store/attempt.ts'
import { loggedHeight } from '../../store/log.ts'
import { heightKey, parseStored } from '../../store/rows.ts'
import { MARK_LIFE_MS } from './read-marks.ts'

/** How long after one round over all old marks the next begins, in milliseconds. */
export const CLEAR_EVERY_MS = 10 * 60_000
/**
 * How long the first round of a process may be put off, in milliseconds, to the next of the moments at which all processes begin
 * theirs, one each `CLEAR_EVERY_MS`: what just started has others to answer. Runs that look everywhere come each minute, so that one
 * of them is within it, however soon each process ends.
 */
const FIRST_WITHIN_MS = 60_000
/** Marks of one shard that one step looks at: with 64 shards at most 6,400, so that a step ends soon. */
export const CLEAR_PAGE = 100

/** A chain of which more is stored than logged, although its marks are so old that readers have given them up. */
export interface Overlooked {
  readonly chain: ChainId
  /** Height of its newest block. */
  readonly height: number
  readonly since: Timestamp
}

/** Removes marks that are of no more use. */
export interface MarkCleaner {
  /** Does one step of a round, or nothing until the next round is due. */
  step(nowMs: number): Promise<readonly Overlooked[]>
}

interface Tables {
  readonly dirty: WriteTable
  readonly blocks: ReadTable
  readonly leaves: ReadTable
}

interface OldMark {
  readonly row: Row
  readonly attempt: Attempt
}

/**
 * Goes over all marks older than `MARK_LIFE_MS`, whatever their age, and removes those that lead to a logged block of a
 * chain that is logged to its head.
 *
 * Nothing can be lost between the look and the removal: what a removed mark says is done and stays so, as blocks and
 * their positions are never removed; an append that comes meanwhile has a mark of its own, under its own block and time.
 * A mark whose block is not there stays for the sweep, which finds by it what is to be removed, and so a block that
 * comes after readers gave its mark up is found here.
 * @throws AmpereError STORE_UNAVAILABLE; the next step does the same again
 */
export function createMarkCleaner(tables: Tables): MarkCleaner {
  let left = new Map<string, string>()
  let ended: { readonly atMs: number; readonly dueMs: number } | null = null
  return {
    step: async (nowMs) => {
      if (left.size === 0) {
        if (!ended && nowMs % CLEAR_EVERY_MS >= FIRST_WITHIN_MS) return []
        // A clock that was set back since says nothing of how long ago that was.
        if (ended && ended.atMs <= nowMs && nowMs < ended.dueMs) return []
        left = new Map(CHAIN_CHARACTERS.split('').map((shard) => [shard, '']))
      }
      const before = toTimestamp(Math.max(0, nowMs - MARK_LIFE_MS))
      const found = await Promise.all(
        [...left].map(async ([shard, from]) => {
          const rows = await tables.dirty.range(shard, { from, to: before, limit: CLEAR_PAGE })
          const overlooked = await clearPage(tables, shard, rows)
          const last = rows.at(-1)
          if (last && rows.length === CLEAR_PAGE) left.set(shard, `${last.key}\u0000`)
          else left.delete(shard)
          return overlooked
        }),
      )
      if (left.size === 0) ended = { atMs: nowMs, dueMs: nowMs + CLEAR_EVERY_MS }
      return found.flat()
    },
  }
}

async function clearPage(tables: Tables, shard: string, rows: readonly Row[]): Promise<Overlooked[]> {
  const byChain = new Map<ChainId, OldMark[]>()
  for (const row of rows) {
    const attempt = attemptOf(row)
    if (attempt) byChain.set(attempt.chain, [...(byChain.get(attempt.chain) ?? []), { row, attempt }])
  }
  const overlooked: Overlooked[] = []
  for (const [chain, marks] of byChain) {
    const found = await clearReadable(tables, shard, chain, marks)
    if (found) overlooked.push(found)
  }
  return overlooked
}

/** Leaves a chain alone whose positions were changed: nobody can say what is done, and it must not hold up others. */
async function clearReadable(
  ...args: Parameters<typeof clearChain>
): Promise<Awaited<ReturnType<typeof clearChain>>> {
  try {
    return await clearChain(...args)
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return null
    throw error
  }
}

/** Removes what may go of one chain's marks. @returns the chain if it is not logged to its head: then none of them goes */
async function clearChain(
  { dirty, blocks, leaves }: Tables,
  shard: string,
  chain: ChainId,
  marks: readonly OldMark[],
): Promise<Overlooked | null> {
  // By its key, whatever it holds: a head that was changed is not logged either.
  const [head] = await blocks.range(chain, { reverse: true, limit: 1 })
  if (!head) return null
  const height = Number(head.key)
  const [first] = marks
  if (first && (await loggedHeight(leaves, chain)) < height)
    return { chain, height, since: first.attempt.time }
  // Not of a block that came behind that head since: it is not logged, and this may be its only mark.
  const due = marks.filter(({ attempt }) => attempt.height <= height)
  const done = await committedOf(blocks, chain, due, head)
  await Promise.all(done.map(({ row }) => dirty.swap(shard, row.key, row.version, null)))
  return null
}

/**
 * The marks whose own block stands at its height. Blocks lie behind each other, and so they are read in ranges; the newest
 * was read already, and most marks are of the newest.
 */
async function committedOf(
  blocks: ReadTable,
  chain: ChainId,
  marks: readonly OldMark[],
  head: Row,
): Promise<readonly OldMark[]> {
  const heights = marks.map(({ attempt }) => attempt.height).toSorted((a, b) => a - b)
  const ids = new Map([[Number(head.key), idOf(head.value)]])
  for (const height of heights) {
    if (ids.has(height)) continue
    const rows = await blocks.range(chain, { from: heightKey(height), limit: CLEAR_PAGE })
    ids.set(height, '')
    for (const { key, value } of rows) ids.set(Number(key), idOf(value))
  }
  return marks.filter(({ attempt }) => ids.get(attempt.height) === attempt.block)
}

/** Of no block when it cannot be read: then nobody can say what is done, and its mark stays. */
function idOf(value: Uint8Array): string {
  try {
    return parseStored(value).id
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return ''
    throw error
  }
}
