// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { brokenRule } from '../../errors.ts'
import { checkpointIn, type Checkpoint } from '../../log/note/checkpoint.ts'
import { hasEachType, openCheckpoint } from '../../log/note/open-checkpoint.ts'
import { isWitnessed } from '../../log/policy/witnessed.ts'
import { encodeBundle } from '../../log/tile/bundle.ts'
import { rootOf, type Edge } from '../../log/tile/grow.ts'
import { HASH_BYTES } from '../../log/tile/hashes.ts'
import { bundlePath, TILE_WIDTH, tilePath } from '../../log/tile/path.ts'
import { WITNESSED_PARTITION } from '../store/log.ts'
import { heightKey } from '../store/rows.ts'
import { bundleOf, edgeAt, type LogContext } from './copy-log.ts'
import type { HomeStores } from './stores.ts'
import type { HomeSource } from './source.ts'

/** How far the witnessed checkpoints of a log were copied. */
export interface WitnessedCopied {
  /** The size from which to go on; null when the source has no more. */
  readonly next: number | null
  /** Sizes of those that were left out, because what came has not the quorum of the policy. */
  readonly unwitnessed: readonly number[]
}

interface Opened {
  readonly checkpoint: Checkpoint
  readonly isKept: boolean
}

/**
 * Copies the checkpoints with which first receipts are made, from the tree of `from` entries on. Their partial tiles are made of
 * the copy's, and their roots compared with it. One without the quorum of the policy, or without a signature of the log that readers ask for, is left out: in a restored home it
 * would stand in the place of every witnessed one of its size, and each receipt made with it would be of no worth for
 * good. One that is kept without it is replaced by one that has it.
 * @param size entries that the copy of the log has; what is beyond them comes with the next copy
 * @param goesOn asked before each page but the first; false ends this copy there
 * @throws AmpereError VERIFICATION_FAILED, rule `log-forked`; SIGNATURE_INVALID, LOG_MALFORMED; UPSTREAM_FAILED for a list
 * that is not in order
 */
export async function copyWitnessed(
  source: HomeSource,
  to: HomeStores,
  context: LogContext,
  size: number,
  from = 0,
  goesOn: () => boolean = () => true,
): Promise<WitnessedCopied> {
  const unwitnessed: number[] = []
  for (let at = from; ;) {
    const { items, next } = await source.witnessed(at)
    for (const note of items) {
      const here = checkpointIn(note).size
      if (here > size) return { next: null, unwitnessed }
      if (!(await keepNote(to, context, size, note))) unwitnessed.push(here)
    }
    if (next === null || next > size) return { next: null, unwitnessed }
    at = next
    if (!goesOn()) return { next, unwitnessed }
  }
}

/** @returns false where the copy has no checkpoint of that size with the quorum, neither this one nor an earlier one */
async function keepNote(to: HomeStores, context: LogContext, size: number, note: string): Promise<boolean> {
  const { checkpoints } = to.tables
  const key = heightKey(checkpointIn(note).size)
  const row = await checkpoints.get(WITNESSED_PARTITION, key)
  // What is there was looked at when it came.
  if (row && fromUtf8(row.value) === note) return true
  if (row && (await openedNote(fromUtf8(row.value), context)).isKept) return true
  const { checkpoint, isKept } = await openedNote(note, context)
  const edge = await edgeAt(to, checkpoint.size, size)
  if (!equalBytes(rootOf(edge), checkpoint.root))
    throw brokenRule('log-forked', `two trees of ${checkpoint.size} entries were signed`)
  if (!isKept) return false
  await storePartials(to, edge, size)
  await checkpoints.swap(WITNESSED_PARTITION, key, row?.version ?? null, utf8(note))
  return true
}

async function openedNote(note: string, { origin, keys, policy, verifiers }: LogContext): Promise<Opened> {
  const cosigners = (policy?.witnesses ?? []).map((witness) => witness.key)
  const opened = await openCheckpoint(note, { logs: keys, cosigners }, verifiers)
  const { checkpoint } = opened
  if (checkpoint.origin !== origin) throw brokenRule('log-origin', 'the checkpoint is of another log')
  // What lacks a signature by one of the log's types of keys is refused by every reader.
  const isWhole = hasEachType(keys, opened)
  return { checkpoint, isKept: isWhole && (policy === null || isWitnessed(policy, opened)) }
}

async function storePartials({ objects }: HomeStores, { size, levels }: Edge, copied: number): Promise<void> {
  for (const [level, bytes] of levels.entries()) {
    const width = bytes.length / HASH_BYTES
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    if (width > 0) await objects.log.store(tilePath({ level, index, width }), bytes)
  }
  const width = size % TILE_WIDTH
  const index = Math.floor(size / TILE_WIDTH)
  if (width === 0) return
  const entries = await bundleOf(objects.log, copied, index)
  await objects.log.store(bundlePath({ index, width }), encodeBundle(entries.slice(0, width)))
}
