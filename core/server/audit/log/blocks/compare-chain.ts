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
import { REGISTRY_PARTITION } from '../../../store/registry.ts'
import { heightKey } from '../../../store/rows.ts'
import { runsOf } from './coverage.ts'
import { chainLabels, registryLabels, type LabelKeys } from './label-keys.ts'
import type { LogAuditPorts } from '../needs.ts'
import type { LogNotes, Run } from '../report.ts'

/** A block that is older than this, in milliseconds, by the time in it, is in the log: it may have been sent by a clock that is fast, and an append may take minutes. */
export const OVERDUE_MS = LOGGED_WITHIN_MS + CLOCK_TOLERANCE_MS + APPEND_DEADLINE_MS
const PAGE = 64

/** What comparing blocks with their leaves needs. */
export interface Comparing {
  readonly ports: LogAuditPorts
  readonly home: Home
  readonly notes: LogNotes
  readonly size: number
  /** The leaf at an index below the size; null where it was found to be unreadable or wrong. */
  readonly leafAt: (index: number) => Promise<Uint8Array | null>
  /** Leaves that no row claims, by their bytes in hexadecimal. */
  readonly unclaimed: Map<string, number>
  /** Leaves that a row claims for a block that they are not of. */
  readonly disowned: Map<string, number>
  /** False where a block may be logged though its leaf is not among those that are known. */
  readonly knowsAllLeaves: boolean
}

/** Blocks of a chain, or of the registry, as they are compared. */
export interface Compared {
  blocks: number
  /** True when rows of the table `leaves` are to blame, so that they may be made anew. */
  hasBadRows: boolean
  /** Where each logged block is; null where that is not known of each. */
  runs: Run[] | null
  /** True behind a block that is not logged: none that follows can be. */
  isBehindEnd: boolean
  /** The newest row that was right. */
  lastRow: Run | null
}

/**
 * Compares each block of a chain with its leaf, from the newest that was logged before leaf `from`; `collect` keeps where
 * they are.
 */
export async function compareChain(
  at: Comparing,
  chain: ChainId | Digest,
  from: number,
  collect = false,
): Promise<Compared> {
  const compared: Compared = {
    blocks: 0,
    hasBadRows: false,
    runs: collect ? [] : null,
    isBehindEnd: false,
    lastRow: null,
  }
  const runs = runsOf(at.ports.tables.leaves, chain, from)
  let run = await nextRun(runs)
  let height = from > 0 && run ? run.from : 0
  const labels = await labelsOf(at, chain, height)
  for (;;) {
    const rows = await blocksFrom(at, chain, height)
    if (rows.length === 0) break
    for (const row of rows) {
      for (; heightKey(height) < row.key; height++) {
        run = await advance(runs, run, height)
        await noteLost(at, chain, height, run)
      }
      run = await advance(runs, run, height)
      await compareBlock(at, chain, { height, row, run, labels }, compared)
      height++
    }
  }
  for (; run; run = await nextRun(runs))
    for (
      let lost = Math.max(height, run.from);
      lost < Math.min(run.from + run.count, run.from + at.size);
      lost++
    )
      await noteLost(at, chain, lost, run)
  return compared
}

function labelsOf(at: Comparing, chain: ChainId | Digest, height: number): Promise<LabelKeys> {
  const { pinned } = at.home.registry
  return chain === pinned
    ? Promise.resolve(registryLabels(pinned))
    : chainLabels(at.ports, chain as ChainId, height)
}

function blocksFrom({ ports, home }: Comparing, chain: ChainId | Digest, height: number) {
  const range = { from: heightKey(height), limit: PAGE }
  return chain === home.registry.pinned
    ? ports.tables.registry.range(REGISTRY_PARTITION, range)
    : ports.tables.blocks.range(chain, range)
}

async function nextRun(runs: ReturnType<typeof runsOf>): Promise<Run | null> {
  for (;;) {
    const { done, value } = await runs.next()
    if (done === true) return null
    if (value.run) return value.run
  }
}

/** The row that covers a height, or the first one behind it. */
async function advance(
  runs: ReturnType<typeof runsOf>,
  run: Run | null,
  height: number,
): Promise<Run | null> {
  let current = run
  while (current && current.from + current.count <= height) current = await nextRun(runs)
  return current
}

async function noteLost(
  at: Comparing,
  chain: ChainId | Digest,
  height: number,
  run: Run | null,
): Promise<void> {
  if (!run || height < run.from || height >= run.from + run.count) return
  const index = run.index + height - run.from
  if (index >= at.size) return
  // A row may be wrong, and the leaf that of another block.
  const stored = await at.leafAt(index)
  if (stored) at.disowned.set(toHex(stored), index)
  const detail = `leaf ${index} is of a block that is not stored`
  at.notes.find('logged-block', 'missing', `block ${chain}/${height}`, detail)
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
  // Logged after the tree that is looked at.
  if (index !== null && index >= at.size) return keep(compared, height, index, run)
  const stored = index === null ? null : await at.leafAt(index)
  if (index !== null && !stored) {
    compared.runs = null
    return
  }
  if (index !== null && stored) {
    compared.blocks++
    const detail = differs(leaf, stored)
    if (detail === null) return keep(compared, height, index, run)
    at.disowned.set(toHex(stored), index)
    const found = find(at, leaf)
    if (found === null) return noteDifferent(at, `block ${chain}/${height}`, detail, index, compared)
  }
  const found = find(at, leaf)
  if (found === null) {
    noteUnlogged(at, `block ${chain}/${height}`, time, compared)
    return
  }
  compared.hasBadRows = true
  keep(compared, height, found, compared.lastRow)
  const where = `leaves/${chain}/${heightKey(run && index !== null ? run.from : height)}`
  const status = index === null ? 'missing' : 'tampered'
  at.notes.find('leaf-row', status, where, `block ${height} is leaf ${found}, and no row says so`)
}

interface Expected {
  readonly label: Uint8Array | null
  readonly hash: Uint8Array
}

/** What of a leaf is not as its block says; null where nothing is. A label can be judged where its key is known. */
function differs({ label, hash }: Expected, entry: Uint8Array): 'hash' | 'label' | null {
  const leaf = decodeLeaf(entry)
  if (!equalBytes(leaf.hash, hash)) return 'hash'
  return label && !equalBytes(leaf.label, label) ? 'label' : null
}

/** The leaf of a block among those that no row claims rightly. */
function find({ unclaimed, disowned }: Comparing, { label, hash }: Expected): number | null {
  if (!label) return null
  const name = toHex(encodeLeaf({ label, hash }))
  const found = unclaimed.get(name)
  if (found !== undefined) return found
  return disowned.get(name) ?? null
}

/** A row that is right stays as it is: that a run ends somewhere tells where the tree may have been published. */
function keep(compared: Compared, height: number, index: number, row: Run | null): void {
  if (compared.isBehindEnd) compared.runs = null
  compared.lastRow = row
  const { runs } = compared
  const last = runs?.at(-1)
  const isFirst = row?.from === height || (row !== null && height === row.from + row.count)
  if (last && !isFirst && last.from + last.count === height && last.index + last.count === index)
    runs?.splice(-1, 1, { ...last, count: last.count + 1 })
  else runs?.push({ from: height, count: 1, index })
}

function noteDifferent(
  { notes }: Comparing,
  where: string,
  what: 'hash' | 'label',
  index: number,
  compared: Compared,
): void {
  compared.hasBadRows = true
  compared.runs = null
  const detail =
    what === 'hash' ? 'has the hash of another block' : 'has another label than its block at this height'
  notes.find(what === 'hash' ? 'leaf-hash' : 'leaf-label', 'tampered', where, `leaf ${index} ${detail}`)
}

function noteUnlogged(at: Comparing, where: string, time: string | null, compared: Compared): void {
  compared.isBehindEnd = true
  // Rows without it would have it logged a second time.
  if (!at.knowsAllLeaves) compared.runs = null
  if (time !== null && at.ports.now() - timestampMs(time) <= OVERDUE_MS) return
  at.notes.find('overdue', 'missing', where, 'the block is stored and not in the log')
}
