// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError, brokenRule } from '../../errors.ts'
import { checkpointIn, type Checkpoint } from '../../log/note/checkpoint.ts'
import type { LogKey } from '../../log/note/key.ts'
import { openCheckpoint } from '../../log/note/open-checkpoint.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { decodeBundle } from '../../log/tile/bundle.ts'
import { tileWidth } from '../../log/tile/extent.ts'
import { EMPTY_EDGE, edgeOf, rootOf, type Edge } from '../../log/tile/grow.ts'
import { bundlePath, TILE_WIDTH } from '../../log/tile/path.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import type { LogEdge } from '../sequence/commit.ts'
import { readEdge } from '../sequence/sequencer.ts'
import { LOG_PARTITION, PUBLISHED_KEY } from '../store/log.ts'
import { loadCursor, swapCursor, type LoadedCursor } from './log-cursor.ts'
import { takeSlice } from './log-slice.ts'
import type { HomeStores } from './stores.ts'
import type { HomeSource } from './source.ts'

/** Whose log is copied. */
export interface LogContext {
  /** Name of the log (docs/PROTOCOL.md, section 11). */
  readonly origin: string
  /** Its keys, which came on another way than the copy. */
  readonly keys: readonly LogKey[]
  readonly verifiers: Verifiers
  /** Who must have cosigned what is kept as witnessed; null where nobody said. */
  readonly policy: Policy | null
}

/** How far a log is copied. */
export interface LogCopied {
  /** The newest checkpoint of which the copy has all entries; null where there is none yet. */
  readonly checkpoint: Checkpoint | null
  /** True when the log signed a larger tree, of which a part is left for the next time. */
  readonly more: boolean
}

/**
 * Brings the copy of a log up to the newest published checkpoint: its entries, the tiles made of them, and the checkpoint
 * with all signatures, stored last. The entries are those that the log signed, and those of the copy are its beginning.
 * They are copied in slices, each proved and stored before the next one is asked for; a tree that was begun is finished first, wherever it was
 * left, so that a log is copied in the end that takes longer than a run. `copyWitnessed` comes next. A checkpoint that lacks a signature by
 * one of the log's types of keys is refused, and one that lacks any which the kept one of the same tree has takes not its place: nothing could
 * be restored without the log's own.
 * @param goesOn asked after each slice; false ends this copy there
 * @throws AmpereError VERIFICATION_FAILED (rules log-rolled-back, log-forked, log-withheld), SIGNATURE_INVALID, LOG_MALFORMED
 */
export async function copyLog(
  source: HomeSource,
  to: HomeStores,
  context: LogContext,
  goesOn: () => boolean = () => true,
): Promise<LogCopied> {
  const shown = await source.checkpoint()
  if (shown === null) return { checkpoint: null, more: false }
  const next = await openedNote(shown, context, true)
  const row = await to.tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  let published = row && checkpointIn(fromUtf8(row.value))
  let way = await loadCursor(to)
  const begun = way.cursor && checkpointIn(way.cursor.target)
  for (const before of [published, begun]) checkForward(before, next)
  const isOnWay = begun !== null && begun.size > (published?.size ?? 0)
  // What is left of a way that came to its end is no beginning of another one.
  if (!isOnWay) way = { ...way, cursor: null }
  for (const note of isOnWay && way.cursor ? [way.cursor.target, shown] : [shown]) {
    const target = checkpointIn(note)
    if (target.size > (published?.size ?? 0)) {
      const ended = await goWay(source, to, { way, published, note, goesOn })
      if (!ended) return { checkpoint: published, more: true }
      way = ended
    }
    await publish(to, note, context)
    way = (await swapCursor(to, way, null)) ?? way
    published = target
    if (target.size < next.size && !goesOn()) return { checkpoint: published, more: true }
  }
  return { checkpoint: next, more: false }
}

interface Way {
  readonly way: LoadedCursor
  /** The tree that the copy has all of. */
  readonly published: Checkpoint | null
  /** The one that is to be copied. */
  readonly note: string
  readonly goesOn: () => boolean
}

/** @returns the cursor at the end of the way; null where the rest is for the next time, or somebody else is on it */
async function goWay(
  source: HomeSource,
  to: HomeStores,
  { way: begun, published, note, goesOn }: Way,
): Promise<LoadedCursor | null> {
  const target = checkpointIn(note)
  let known: LogEdge = { edge: EMPTY_EDGE, tail: [] }
  if (begun.cursor) known = { edge: begun.cursor.edge, tail: [] }
  else if (published) known = await readEdge(to, published)
  const readTile = tileReader((path) => source.logFile(path), target.size)
  for (let way = begun; ;) {
    known = await takeSlice(source, to, known, target, readTile)
    if (known.edge.size === target.size) return way
    const noted = await swapCursor(to, way, { target: note, edge: known.edge })
    if (!noted || !goesOn()) return null
    way = noted
  }
}

async function publish({ tables }: HomeStores, note: string, context: LogContext): Promise<void> {
  const row = await tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  const kept = row && fromUtf8(row.value)
  if (kept === note || (kept !== null && (await isBetter(kept, note, context)))) return
  await tables.checkpoints.swap(LOG_PARTITION, PUBLISHED_KEY, row?.version ?? null, utf8(note))
}

/** @throws AmpereError VERIFICATION_FAILED: rules log-rolled-back, log-forked */
function checkForward(before: Checkpoint | null, next: Checkpoint): void {
  if (!before) return
  if (next.size < before.size)
    throw brokenRule('log-rolled-back', `the log shows ${next.size} entries after ${before.size}`)
  if (next.size === before.size && !equalBytes(next.root, before.root))
    throw brokenRule('log-forked', `the log signed two trees of ${next.size} entries`)
}

/** Every entry of a copied log, in order. @throws AmpereError STORE_CORRUPT */
export async function* entriesOf({ objects }: HomeStores, size: number): AsyncIterable<Uint8Array> {
  for (let index = 0; index * TILE_WIDTH < size; index++) yield* await bundleOf(objects.log, size, index)
}

/**
 * Checks a checkpoint that somebody else kept against the copy of the log.
 * @throws AmpereError VERIFICATION_FAILED: rule log-ahead when the log signed a larger tree, log-forked for another one
 */
export async function checkAgainst(
  to: HomeStores,
  size: number,
  note: string,
  context: LogContext,
): Promise<void> {
  const seen = await openedNote(note, context)
  if (seen.size > size)
    throw brokenRule(
      'log-ahead',
      `the log signed a tree of ${seen.size} entries, and ${size} of them are here`,
    )
  if (!equalBytes(rootOf(await edgeAt(to, seen.size, size)), seen.root))
    throw brokenRule(
      'log-forked',
      `the log signed another tree of ${seen.size} entries than the one that is here`,
    )
}

/** True where what is kept is of a larger tree, or of the same one with a signature more: whoever is between takes some away. */
async function isBetter(
  kept: string,
  note: string,
  { keys, policy, verifiers }: LogContext,
): Promise<boolean> {
  const sizes = [kept, note].map((each) => checkpointIn(each).size) as [number, number]
  if (sizes[0] !== sizes[1]) return sizes[0] > sizes[1]
  const cosigners = (policy?.witnesses ?? []).map((witness) => witness.key)
  const keysOf = async (text: string) => {
    const { signedBy, cosignatures } = await openCheckpoint(text, { logs: keys, cosigners }, verifiers)
    return [...signedBy, ...cosignatures.map(({ key }) => key)]
  }
  const has = new Set(await keysOf(note))
  return (await keysOf(kept)).some((key) => !has.has(key))
}

/** @param eachType whether its log must have signed with each of its types of keys, as what is restored later must be signed */
async function openedNote(
  note: string,
  { origin, keys, verifiers }: LogContext,
  eachType = false,
): Promise<Checkpoint> {
  const { checkpoint } = await openCheckpoint(note, { logs: keys, cosigners: [], eachType }, verifiers)
  if (checkpoint.origin !== origin) throw brokenRule('log-origin', 'the checkpoint is of another log')
  return checkpoint
}

/** The edge of the tree of `size` leaves within the copy, which has `copied`. */
export function edgeAt({ objects }: HomeStores, size: number, copied: number): Promise<Edge> {
  return edgeOf(
    size,
    tileReader((path) => objects.log.fetch(path), copied),
  )
}

/** The entries of one bundle of a copied log of `size` entries. @throws AmpereError STORE_CORRUPT */
export async function bundleOf(
  log: HomeStores['objects']['log'],
  size: number,
  index: number,
): Promise<Uint8Array[]> {
  const width = tileWidth(size, 0, index)
  const bytes = await log.fetch(bundlePath({ index, width }))
  if (!bytes) throw new AmpereError('STORE_CORRUPT', 'a bundle of the copied log is missing')
  return decodeBundle(bytes, width)
}
