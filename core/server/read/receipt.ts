// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { decodeLeaf } from '../../block/leaf.ts'
import { AmpereError } from '../../errors.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import { decodeBundle } from '../../log/tile/bundle.ts'
import { tileWidth } from '../../log/tile/extent.ts'
import { bundlePath, TILE_WIDTH } from '../../log/tile/path.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import { inclusionFromTiles } from '../../log/tile/read.ts'
import { formatTlogProof } from '../../log/tlog-proof.ts'
import type { FetchObjects } from '../../ports/objects.ts'
import type { ReadTable } from '../../ports/table.ts'
import { LOG_PARTITION, logIndex, PUBLISHED_KEY, WITNESSED_PARTITION } from '../store/log.ts'
import { heightKey } from '../store/rows.ts'

/** What making receipts needs: the log as it is published, and which block is where in it. */
export interface ReceiptPorts {
  readonly tables: { readonly checkpoints: ReadTable; readonly leaves: ReadTable }
  readonly objects: { readonly log: FetchObjects }
}

/** How far a block came: in a published tree, or in one that the policy's quorum of witnesses cosigned. */
export type ReceiptLevel = 'logged' | 'witnessed'

/** A receipt and how far it goes. */
export interface Receipt {
  readonly level: ReceiptLevel
  /** The tlog-proof (c2sp.org/tlog-proof) with the leaf's label as `extra`. */
  readonly proof: string
}

/**
 * The receipt of a block: against the first witnessed checkpoint that covers it, which stays the same for ever, or
 * while there is none against the newest published one.
 * @returns null while the block is in no published tree, or not as far as `level` asks
 */
export async function findReceipt(
  ports: ReceiptPorts,
  chain: ChainId | Digest,
  height: number,
  level: ReceiptLevel = 'logged',
): Promise<Receipt | null> {
  const index = await logIndex(ports.tables.leaves, chain, height)
  if (index === null) return null
  const found = await coveringNote(ports, index)
  // Before a proof is made: who waits for witnesses asks again and again.
  if (level === 'witnessed' && found?.level !== 'witnessed') return null
  return found && { level: found.level, proof: await proofOf(ports, index, found.note) }
}

async function coveringNote(
  { tables }: ReceiptPorts,
  index: number,
): Promise<{ readonly level: ReceiptLevel; readonly note: string } | null> {
  const from = heightKey(index + 1)
  const [witnessed] = await tables.checkpoints.range(WITNESSED_PARTITION, { from, limit: 1 })
  if (witnessed) return { level: 'witnessed', note: fromUtf8(witnessed.value) }
  const published = await tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  const note = published && fromUtf8(published.value)
  return note !== null && sizeOf(note) > index ? { level: 'logged', note } : null
}

async function proofOf({ objects }: ReceiptPorts, index: number, note: string): Promise<string> {
  const size = sizeOf(note)
  const fetch = (path: string) => objects.log.fetch(path)
  const bundle = Math.floor(index / TILE_WIDTH)
  const width = tileWidth(size, 0, bundle)
  const bytes = await fetch(bundlePath({ index: bundle, width }))
  if (!bytes) throw new AmpereError('STORE_CORRUPT', 'an entry bundle of the log is missing')
  const entry = decodeBundle(bytes, width)[index % TILE_WIDTH] ?? new Uint8Array(0)
  const hashes = await inclusionFromTiles(index, size, tileReader(fetch, size))
  return formatTlogProof({ extra: decodeLeaf(entry).label, index, hashes, note })
}

function sizeOf(note: string): number {
  return checkpointIn(note).size
}
