// SPDX-License-Identifier: Apache-2.0
import type { BlockNote } from './block-note.ts'

/** What counting batches asks of a block. */
type BatchedBlock = Pick<BlockNote, 'height' | 'kid' | 'entries'>

/** Batches that are not whole, by author and batch id. */
export type OpenBatches = Map<string, OpenBatch>

interface OpenBatch {
  /** In order of height. */
  readonly blocks: BatchedBlock[]
  /** A block came out of its place: this batch never becomes whole. */
  readonly broken: boolean
}

/** The batches that are still open among `notes`. */
export function openBatches(notes: readonly BatchedBlock[]): OpenBatches {
  const batches: OpenBatches = new Map()
  for (const note of notes) noteBatch(batches, note)
  return batches
}

/**
 * Counts one more block in. A batch is whole when its blocks 0, 1, 2, ... came in order and the last one says
 * that it is; blocks of others may lie between them. One that lost its place stays open for ever, so that
 * half a delivery is never taken for a whole one.
 */
export function noteBatch(batches: OpenBatches, note: BatchedBlock): void {
  const batch = note.entries?.batch
  if (!batch) return
  const key = `${note.kid}/${batch.id}`
  const before = batches.get(key) ?? { blocks: [], broken: false }
  const broken = before.broken || batch.index !== before.blocks.length
  before.blocks.push(note)
  if (batch.last && !broken) batches.delete(key)
  else batches.set(key, { blocks: before.blocks, broken })
}

/** Heights of all blocks in open batches. */
export function heightsIn(batches: OpenBatches): ReadonlySet<number> {
  return new Set([...batches.values()].flatMap(({ blocks }) => blocks.map((note) => note.height)))
}
