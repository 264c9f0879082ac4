// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { logOriginOf } from '../../api/log.ts'
import { decodeLeaf } from '../../block/leaf.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { leafHash } from '../../log/merkle.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import { verifyInclusion } from '../../log/proof.ts'
import { decodeBundle } from '../../log/tile/bundle.ts'
import { tileWidth } from '../../log/tile/extent.ts'
import { bundlePath, TILE_WIDTH } from '../../log/tile/path.ts'
import { tileReader, type FetchPath } from '../../log/tile/read-tile.ts'
import { inclusionProver, type ProveInclusion } from '../../log/tile/read.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { formatTlogProof, parseTlogProof } from '../../log/tlog-proof.ts'
import type { FetchObjects } from '../../ports/objects.ts'
import type { ReadTable } from '../../ports/table.ts'
import { LOG_PARTITION, logIndex, PUBLISHED_KEY } from '../store/log.ts'
import { movedReceipt } from '../store/moved-receipts.ts'
import { loadBlock, loadState } from '../store/rows.ts'
import { keptFinder } from './kept.ts'

/** What making receipts of a log needs: it as it is published, and which block is where in it. */
export interface LogReceiptPorts {
  readonly tables: { readonly checkpoints: ReadTable; readonly leaves: ReadTable }
  readonly objects: { readonly log: FetchObjects }
}

/** What giving a home's receipts needs: also where each block was at home, and the receipts of homes that chains left. */
export interface ReceiptPorts extends LogReceiptPorts {
  readonly tables: LogReceiptPorts['tables'] & {
    readonly blocks: ReadTable
    readonly states: ReadTable
    readonly receipts: ReadTable
  }
}

/** How far a block came: in a published tree, or in one that the quorum of the home's present policy cosigned. */
export type ReceiptLevel = 'logged' | 'witnessed'

/** A receipt and how far it goes. */
export interface Receipt {
  readonly level: ReceiptLevel
  /** The tlog-proof (c2sp.org/tlog-proof) with the leaf's label as `extra`. */
  readonly proof: string
}

/**
 * The receipt of a block: against the first kept checkpoint that covers it and has the quorum of the policy, which
 * stays the same while the policy does. While there is none it is `logged`, against the first that was kept under an
 * earlier policy, which readers may hold to, or against the newest published one. Null while the block is in no
 * published tree, or not as far as `level` asks, which is `logged` unless it is told.
 */
export type FindReceipt = (
  chain: ChainId | Digest,
  height: number,
  level?: ReceiptLevel,
) => Promise<Receipt | null>

/** A checkpoint and what is read of its tree. Whoever waits for the log asks for one tree with many others. */
interface ReadTree {
  readonly note: string
  readonly size: number
  readonly root: Uint8Array
  readonly prove: ProveInclusion
  readonly bundles: Map<string, Promise<readonly Uint8Array[]>>
}

/** Trees that are remembered: the newest witnessed and the newest published one, and one more while they change. */
const MAX_TREES = 3
/** Entry bundles that are remembered of a tree: about 17 KB each. */
const MAX_BUNDLES = 16

/** Homes that are remembered, by the control state that names them. */
const MAX_STATES = 1024

/**
 * Gives the receipts that count: those of the log of the home that the state after a block names. They are made of this home's
 * log; of a block from before its chain came here, or after it left, it is the one that came with the chain, or none.
 */
export function receiptFinder(ports: ReceiptPorts, policy: Policy | null): FindReceipt {
  const { checkpoints, receipts } = ports.tables
  const findHere = logReceiptFinder(ports, policy)
  const logAfter = logsAfter(ports)
  /** Names of logs: whether they are this home's, as was seen in its receipts. */
  const isOwn = new Map<string, boolean>()
  const movedFrom: FindReceipt = async (chain, height, level) => {
    const moved = await movedReceipt(receipts, chain, height)
    return level === 'witnessed' && moved?.level === 'logged' ? null : moved
  }
  return async (chain, height, level = 'logged') => {
    const log = await logAfter(chain, height)
    // What is no block of a chain is of the registry, which is in this home's log, or is nothing.
    if (log === null || isOwn.get(log) === true) return findHere(chain, height, level)
    if (isOwn.get(log) === undefined) {
      const here = await findHere(chain, height, level)
      if (here) isOwn.set(log, isOfLog(here.proof, log))
      if (isOwn.get(log) === true) return here
      const note = here ? null : await publishedNote(checkpoints)
      if (note !== null && checkpointIn(note).origin === log) return null
    }
    const moved = await movedFrom(chain, height, level)
    return moved && isOfLog(moved.proof, log) ? moved : null
  }
}

/** Whether a receipt says that it is of a log; what it proves, readers judge. */
export function isOfLog(proof: string, log: string): boolean {
  try {
    return checkpointIn(parseTlogProof(proof).note).origin === log
  } catch (error) {
    if (isAmpereError(error)) return false
    throw error
  }
}

/** Finds the log of the home that the state after a block names; null where there is no such block. */
function logsAfter({ tables: { blocks, states } }: ReceiptPorts) {
  const known = new Map<string, string>()
  return async (chain: ChainId | Digest, height: number): Promise<string | null> => {
    const stored = await loadBlock(blocks, chain as ChainId, height)
    if (!stored) return null
    const { state } = stored.block
    const named = `${chain} ${state}`
    const log = known.get(named) ?? logOriginOf((await loadState(states, stored.chain, state)).home.origin)
    remember(known, named, log, MAX_STATES)
    return log
  }
}

async function publishedNote(checkpoints: ReadTable): Promise<string | null> {
  const published = await checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  return published && fromUtf8(published.value)
}

/**
 * Makes receipts of a home's log, also of blocks of which those of another log count; `policy` is the home's present one, or
 * null where nobody witnesses. What it read of the trees of the last few checkpoints it remembers, at most about 3 MB.
 */
export function logReceiptFinder({ tables, objects }: LogReceiptPorts, policy: Policy | null): FindReceipt {
  const fetch: FetchPath = (path) => objects.log.fetch(path)
  const trees = new Map<string, ReadTree>()
  const findKept = keptFinder(tables.checkpoints, policy)
  const treeOf = (note: string): ReadTree => {
    const tree = trees.get(note) ?? readTree(fetch, note)
    remember(trees, note, tree, MAX_TREES)
    return tree
  }
  const receiptIn = async (tree: ReadTree, index: number, level: ReceiptLevel): Promise<Receipt> => {
    try {
      return { level, proof: await proofIn(fetch, tree, index) }
    } catch (error) {
      // The store may be repaired meanwhile.
      trees.delete(tree.note)
      throw error
    }
  }
  const find: FindReceipt = async (chain, height, level = 'logged') => {
    const index = await logIndex(tables.leaves, chain, height)
    if (index === null) return null
    const { witnessed, earlier } = await findKept(index + 1)
    if (witnessed !== null) return receiptIn(treeOf(witnessed), index, 'witnessed')
    if (level === 'witnessed') return null
    if (earlier !== null) return receiptIn(treeOf(earlier), index, 'logged')
    const published = await publishedNote(tables.checkpoints)
    const tree = published === null ? null : treeOf(published)
    return tree && tree.size > index ? receiptIn(tree, index, 'logged') : null
  }
  return async (...asked) => {
    try {
      return await find(...asked)
    } catch (error) {
      throw damagedOr(error)
    }
  }
}

/** A stored log that is not one is the home's fault, not that of who asks; and a lost tile is no missing receipt. */
function damagedOr(cause: unknown): unknown {
  if (!isAmpereError(cause, 'LOG_MALFORMED', 'NOT_FOUND')) return cause
  return new AmpereError('STORE_CORRUPT', `the stored log is damaged: ${cause.message}`, { cause })
}

function readTree(fetch: FetchPath, note: string): ReadTree {
  const { size, root } = checkpointIn(note)
  return { note, size, root, prove: inclusionProver(size, tileReader(fetch, size)), bundles: new Map() }
}

/** @throws AmpereError STORE_CORRUPT for a proof that nobody would accept */
async function proofIn(fetch: FetchPath, tree: ReadTree, index: number): Promise<string> {
  const { note, size, root, prove } = tree
  const bundle = await bundleAt(fetch, tree, Math.floor(index / TILE_WIDTH))
  const entry = bundle[index % TILE_WIDTH] ?? new Uint8Array(0)
  const hashes = await prove(index)
  if (!verifyInclusion({ leaf: leafHash(entry), index, size, proof: hashes, root }))
    throw new AmpereError('STORE_CORRUPT', 'the stored log is not the tree of its checkpoint')
  return formatTlogProof({ extra: decodeLeaf(entry).label, index, hashes, note })
}

function bundleAt(
  fetch: FetchPath,
  { size, bundles }: ReadTree,
  index: number,
): Promise<readonly Uint8Array[]> {
  const width = tileWidth(size, 0, index)
  const path = bundlePath({ index, width })
  const reading = bundles.get(path) ?? readBundle(fetch, path, width)
  remember(bundles, path, reading, MAX_BUNDLES)
  return reading
}

async function readBundle(fetch: FetchPath, path: string, width: number): Promise<readonly Uint8Array[]> {
  const bytes = await fetch(path)
  if (!bytes) throw new AmpereError('STORE_CORRUPT', 'an entry bundle of the log is missing')
  return decodeBundle(bytes, width)
}

/** Puts something last, and drops what was used least recently. */
function remember<T>(known: Map<string, T>, key: string, value: T, limit: number): void {
  known.delete(key)
  known.set(key, value)
  for (const oldest of known.keys()) {
    if (known.size <= limit) return
    known.delete(oldest)
  }
}
