// SPDX-License-Identifier: Apache-2.0
import { toHex } from '../../../../bytes/encoding.ts'
import { equalBytes } from '../../../../bytes/frame.ts'
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { timestampMs } from '../../../../bytes/timestamp.ts'
import { sha256 } from '../../../../crypto/hash.ts'
import { decodeLeaf, encodeLeaf, leafLabel } from '../../../../block/leaf.ts'
import { CLOCK_TOLERANCE_MS, LOGGED_WITHIN_MS } from '../../../../api/limits.ts'
import type { Row } from '../../../../ports/table.ts'
import { APPEND_DEADLINE_MS } from '../../../append/store-parts.ts'
import type { Home } from '../../../home.ts'
import { heightKey } from '../../../store/rows.ts'
import { runsOf } from '../rows/coverage.ts'
import type { Claims } from '../rows/claims.ts'
import type { LabelKeys } from './label-keys.ts'
import { blockRows, labelsOf } from './walk-chain.ts'
import type { LogAuditPorts } from '../needs.ts'
import type { LogNotes, Run } from '../report.ts'

/** A block that is older than this, in milliseconds, by the time in it, is in the log: it may have been sent by a clock that is fast, and an append may take minutes. */
export const OVERDUE_MS = LOGGED_WITHIN_MS + CLOCK_TOLERANCE_MS + APPEND_DEADLINE_MS

/** What comparing blocks with their leaves needs. */
export interface Comparing {
  readonly ports: LogAuditPorts
  readonly home: Home
  readonly notes: LogNotes
  readonly size: number
  /** The leaf at an index below the size; null where it was found to be unreadable or wrong. */
  readonly leafAt: (index: number) => Promise<Uint8Array | null>
  readonly claims: Claims
}

/** A chain, or the registry, that was compared. */
export interface Compared {
  blocks: number
  /** True when rows of the table `leaves` may be to blame. */
  isSuspect: boolean
  /** True when a stored block is not known to be in the log. */
  hasUnlogged: boolean
}

/** Compares each block of a chain with its leaf, from the newest that was logged before leaf `from`. */
export async function compareChain(at: Comparing, chain: ChainId | Digest, from: number): Promise<Compared> {
  const compared: Compared = { blocks: 0, isSuspect: false, hasUnlogged: false }
  const runs = runsOf(at.ports.tables.leaves, chain, from)
  let run = await nextRun(runs)
  let next = from > 0 && run ? run.from : 0
  const labels = await labelsOf(at, chain, next)
  for await (const { height, row } of blockRows(at, chain, next)) {
    if (next < height) await labels.lost()
    while (run && next < height) {
      await noteLost(at, chain, { from: next, until: height }, run, compared)
      if (run.from + run.count >= height) break
      next = run.from + run.count
      run = await nextRun(runs)
    }
    while (run && run.from + run.count <= height) run = await nextRun(runs)
    await compareBlock(at, chain, { height, row, run, labels }, compared)
    next = height + 1
  }
  for (; run; run = await nextRun(runs))
    await noteLost(at, chain, { from: next, until: Number.POSITIVE_INFINITY }, run, compared)
  const key = at.claims.hasUnclaimed ? await labels.lost() : null
  if (key && at.claims.isUnclaimedLabel(leafLabel(key, chain, next))) compared.isSuspect = true
  return compared
}

async function nextRun(runs: ReturnType<typeof runsOf>): Promise<Run | null> {
  for (;;) {
    const { done, value } = await runs.next()
    if (done === true) return null
    if (value.run) return value.run
  }
}

/** Notes blocks that a row says were logged, and that are not stored. */
async function noteLost(
  at: Comparing,
  chain: ChainId | Digest,
  { from, until }: { readonly from: number; readonly until: number },
  run: Run,
  compared: Compared,
): Promise<void> {
  const end = Math.min(until, run.from + run.count, run.from + at.size - run.index)
  for (let height = Math.max(from, run.from); height < end; height++) {
    const index = run.index + height - run.from
    // A row may be wrong, and the leaf that of another block.
    const stored = await at.leafAt(index)
    if (stored) at.claims.disown(stored, index)
    compared.isSuspect = true
    const where = `block ${chain}/${height}`
    const detail = `leaf ${index} is of a block that is not stored`
    at.claims.defer({ chain, height, rule: 'logged-block', status: 'missing', where, detail })
  }
}

interface OneBlock {
  readonly height: number
  readonly row: Row
  readonly run: Run | null
  readonly labels: LabelKeys
}

async function compareBlock(
  at: Comparing,
  chain: ChainId | Digest,
  { height, row, run, labels }: OneBlock,
  compared: Compared,
): Promise<void> {
  const { key, time } = await labels.next(row)
  const leaf = { label: key && leafLabel(key, chain, height), hash: sha256(row.value) }
  const index = run && height >= run.from ? run.index + height - run.from : null
  const place = { chain, height, where: `block ${chain}/${height}` }
  // Logged after the tree that is looked at, or so the row says.
  if (index !== null && index >= at.size) {
    if (findElsewhere(at, leaf) !== null) compared.isSuspect = true
    return
  }
  const stored = index === null ? null : await at.leafAt(index)
  if (index !== null && !stored) return
  let different: 'hash' | 'label' | null = null
  if (index !== null && stored) {
    compared.blocks++
    different = differs(leaf, stored)
    if (different === null) return at.claims.explain(index)
    at.claims.disown(stored, index)
    compared.isSuspect = true
  }
  const found = findElsewhere(at, leaf)
  if (found !== null) {
    compared.isSuspect = true
    const where = `leaves/${chain}/${heightKey(run && index !== null ? run.from : height)}`
    const status = index === null ? 'missing' : 'tampered'
    at.notes.find('leaf-row', status, where, `block ${height} is leaf ${found}, and no row says so`)
    return
  }
  if (different !== null) {
    const what =
      different === 'hash' ? 'the hash of another block' : 'another label than its block at this height'
    const rule = different === 'hash' ? 'leaf-hash' : 'leaf-label'
    at.claims.defer({ ...place, rule, status: 'tampered', detail: `leaf ${index} has ${what}` })
    return
  }
  compared.hasUnlogged = true
  if (time !== null && at.ports.now() - timestampMs(time) <= OVERDUE_MS) return
  const detail = 'the block is stored and not in the log'
  at.claims.defer({ ...place, rule: 'overdue', status: 'missing', detail })
}

interface ExpectedLeaf {
  readonly label: Uint8Array | null
  readonly hash: Uint8Array
}

/** What of a leaf is not as its block says; null where nothing is. A label can be judged where its key is known. */
function differs({ label, hash }: ExpectedLeaf, entry: Uint8Array): 'hash' | 'label' | null {
  const leaf = decodeLeaf(entry)
  if (!equalBytes(leaf.hash, hash)) return 'hash'
  return label && !equalBytes(leaf.label, label) ? 'label' : null
}

/** The leaf of a block among those that no row claims rightly. */
function findElsewhere({ claims }: Comparing, { label, hash }: ExpectedLeaf): number | null {
  return label && claims.find(toHex(encodeLeaf({ label, hash })))
}
