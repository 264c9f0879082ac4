// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { isAmpereError } from '../../errors.ts'
import type { Row } from '../../ports/table.ts'
import { attemptOf, CHAIN_CHARACTERS, namesIn, partNames, type Attempt } from '../store/attempt.ts'
import { JOBS_SWEEP, JOBS_SWEPT } from '../store/jobs.ts'
import { heightKey, loadBlock, parseStored } from '../store/rows.ts'
import { findListing, findParts, LISTING, type FoundPart, type Store } from './found.ts'
import type { SweeperPorts } from './needs.ts'

/** How long parts without a block are kept after the last attempt that named them, in milliseconds: seven days. */
export const SWEEP_AGE_MS = 7 * 86_400_000
/** After so long an announced removal is of a process that ended, in milliseconds: an hour. */
export const SWEEP_STALE_MS = 3_600_000
const PAGE = 500
/** Shards that are swept at the same time; a chain has its marks in one. */
const PARALLEL_SHARDS = 16

/** What a sweep did. */
export interface SweepReport {
  /** Marks looked at. */
  readonly marks: number
  /** Attempts among them that never committed. */
  readonly failed: number
  readonly removed: Readonly<Record<Store, number>>
}

interface Total {
  marks: number
  failed: number
  readonly removed: Record<Store, number>
}

/** An attempt, and the row that is its mark. */
interface Mark {
  readonly row: Row
  readonly attempt: Attempt
}

/** A chain with attempts that never committed, and what is known of their parts. */
interface Candidate {
  readonly marks: readonly Mark[]
  /** Version of the announcement: as long as it stands, no other sweep is at this chain. */
  readonly announced: string
  readonly parts: FoundPart[]
  /** Names that nothing has been seen to name, so far. */
  readonly unnamed: Set<string>
}

/**
 * Removes what was stored for blocks that never committed, seven days after the last attempt. Marks of a shard are read in
 * the order of time, each once; how far is kept, so that a sweep goes on where the last one was.
 *
 * The marks of what was swept go last: from then on nothing is stored that they name, or a block or a newer mark names it.
 * Those of a chain with a block that cannot be read stay, with all parts.
 *
 * Never takes what a committed block names, nor what an attempt of the last seven days names. An attempt leaves
 * its mark before it stores anything, and whoever finds an old part there looks whether a removal is announced
 * before it commits; a sweep announces, then finds the parts, then reads the marks, then the blocks, then
 * removes. So one of the two sees the other, however their steps fall (`keep` in append/store-parts.ts).
 * @throws AmpereError STORE_UNAVAILABLE; what was announced stays so for an hour, then the next sweep goes on
 */
export async function sweep(ports: SweeperPorts): Promise<SweepReport> {
  const total: Total = {
    marks: 0,
    failed: 0,
    removed: { objects: 0, wraps: 0, packages: 0, labels: 0, states: 0, chains: 0 },
  }
  const before = toTimestamp(ports.now() - SWEEP_AGE_MS)
  // Only of shards in which something was swept.
  const reached = new Map((await ports.tables.jobs.range(JOBS_SWEPT)).map((row) => [row.key, row]))
  const shards = CHAIN_CHARACTERS.split('')
  for (let at = 0; at < shards.length; at += PARALLEL_SHARDS) {
    const page = shards.slice(at, at + PARALLEL_SHARDS)
    const swept = page.map((shard) =>
      sweepShard(ports, shard, { before, reached: reached.get(shard) }, total),
    )
    // All of them end before it is said that one failed: nothing goes on behind the caller's back.
    for (const result of await Promise.allSettled(swept))
      if (result.status === 'rejected') throw result.reason
  }
  return total
}

async function sweepShard(
  ports: SweeperPorts,
  shard: string,
  { before, reached }: { readonly before: Timestamp; readonly reached: Row | undefined },
  total: Total,
): Promise<void> {
  const { dirty, jobs } = ports.tables
  let version = reached?.version ?? null
  let from = reached ? fromUtf8(reached.value) : ''
  for (;;) {
    const marks = await dirty.range(shard, { from, to: before, limit: PAGE })
    const last = marks.at(-1)
    if (!last) return
    const tried = marks.flatMap((mark) => {
      const attempt = attemptOf(mark)
      return attempt ? [{ row: mark, attempt }] : []
    })
    if (!(await sweepAttempts(ports, shard, before, tried, total))) return
    total.marks += marks.length
    from = `${last.key}\u0000`
    version = await jobs.swap(JOBS_SWEPT, shard, version, utf8(from))
    // Another sweep was first: it goes on from there.
    if (version === null) return
  }
}

/** @returns false when another sweep is at one of the chains, so that these marks must be looked at again */
async function sweepAttempts(
  ports: SweeperPorts,
  shard: string,
  before: Timestamp,
  tried: readonly Mark[],
  total: Total,
): Promise<boolean> {
  const failed = new Map<ChainId, Mark[]>()
  for (const mark of tried) {
    const { chain } = mark.attempt
    if (!(await isCommitted(ports, mark.attempt))) failed.set(chain, [...(failed.get(chain) ?? []), mark])
  }
  const candidates = new Map<ChainId, Candidate>()
  for (const [chain, of] of failed) {
    const announced = await announce(ports, chain)
    if (announced === null) continue
    const attempts = of.map(({ attempt }) => attempt)
    candidates.set(chain, { marks: of, announced, ...(await findAll(ports, chain, attempts)) })
  }
  // Marks before blocks: a mark that has been cleared meanwhile was of a block that is there by now.
  await keepMarked(ports, shard, before, candidates)
  let done = 0
  for (const [chain, candidate] of candidates) {
    if (await removeUnnamed(ports, shard, chain, candidate, total)) done++
  }
  return done === failed.size
}

/** @returns false when another sweep took this chain over, because this one was so long about it */
async function removeUnnamed(
  ports: SweeperPorts,
  shard: string,
  chain: ChainId,
  candidate: Candidate,
  total: Total,
): Promise<boolean> {
  const { jobs, dirty } = ports.tables
  const { announced, marks, parts, unnamed } = candidate
  const isReadable = await keepNamed(ports, chain, unnamed)
  if ((await jobs.get(JOBS_SWEEP, chain))?.version !== announced) return false
  for (const part of parts) {
    if (unnamed.has(part.name) && (await part.remove())) total.removed[part.store]++
  }
  if (isReadable) for (const { row } of marks) await dirty.swap(shard, row.key, row.version, null)
  total.failed += marks.length
  await jobs.swap(JOBS_SWEEP, chain, announced, null)
  return true
}

/** True also when the block at its height cannot be read: then nobody can say, and nothing is removed. */
async function isCommitted(ports: SweeperPorts, attempt: Attempt): Promise<boolean> {
  try {
    return (await loadBlock(ports.tables.blocks, attempt.chain, attempt.height))?.id === attempt.block
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return true
    throw error
  }
}

/** Says that parts of this chain are being removed. @returns the announcement's version, or null while it is another's */
async function announce(ports: SweeperPorts, chain: ChainId): Promise<string | null> {
  const { jobs } = ports.tables
  const value = utf8(toTimestamp(ports.now()))
  const fresh = await jobs.swap(JOBS_SWEEP, chain, null, value)
  if (fresh !== null) return fresh
  const row = await jobs.get(JOBS_SWEEP, chain)
  if (!row || ports.now() - timestampMs(fromUtf8(row.value)) < SWEEP_STALE_MS) return null
  return jobs.swap(JOBS_SWEEP, chain, row.version, value)
}

async function findAll(
  ports: SweeperPorts,
  chain: ChainId,
  attempts: readonly Attempt[],
): Promise<Pick<Candidate, 'parts' | 'unnamed'>> {
  const parts: FoundPart[] = []
  const seen = new Set<string>()
  for (const attempt of attempts) {
    // Attempts of one step name the same parts; each is found once.
    const names = namesIn(attempt.parts)
    if (names.every((name) => seen.has(name))) continue
    for (const part of await findParts(ports, chain, attempt.parts))
      if (!seen.has(part.name)) parts.push(part)
    for (const name of names) seen.add(name)
  }
  const listing = attempts.some((attempt) => attempt.height === 0) ? await findListing(ports, chain) : null
  if (listing) parts.push(listing)
  return { parts, unnamed: new Set(parts.map((part) => part.name)) }
}

async function keepMarked(
  ports: SweeperPorts,
  shard: string,
  before: Timestamp,
  candidates: ReadonlyMap<ChainId, Candidate>,
): Promise<void> {
  if (candidates.size === 0) return
  for (let from: string = before; ;) {
    const marks = await ports.tables.dirty.range(shard, { from })
    const last = marks.at(-1)
    if (!last) return
    for (const mark of marks) {
      const attempt = attemptOf(mark)
      const unnamed = attempt && candidates.get(attempt.chain)?.unnamed
      if (unnamed) for (const name of namesIn(attempt.parts)) unnamed.delete(name)
    }
    from = `${last.key}\u0000`
  }
}

/**
 * Strikes out what the chain's blocks name; everything, when one of them cannot be read.
 * @returns false when one of them cannot be read
 */
async function keepNamed(ports: SweeperPorts, chain: ChainId, unnamed: Set<string>): Promise<boolean> {
  for (let height = 0; unnamed.size > 0; height += PAGE) {
    const rows = await ports.tables.blocks.range(chain, { from: heightKey(height), limit: PAGE })
    if (rows.length > 0) unnamed.delete(LISTING)
    for (const row of rows) {
      try {
        for (const name of namesIn(partNames(parseStored(row.value).block))) unnamed.delete(name)
      } catch (error) {
        if (!isAmpereError(error, 'STORE_CORRUPT')) throw error
        unnamed.clear()
        return false
      }
    }
    if (rows.length < PAGE) return true
  }
  return true
}
