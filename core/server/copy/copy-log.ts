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
import { storeSame } from '../sequence/apply.ts'
import { addEntries, type LogEdge } from '../sequence/commit.ts'
import { readEdge } from '../sequence/sequencer.ts'
import { LOG_PARTITION, PUBLISHED_KEY } from '../store/log.ts'
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

/**
 * Brings the copy of a log up to the newest published checkpoint: its entries, the tiles made of them, and the checkpoint
 * with all signatures, stored last. The entries are those that the log signed, and those of the copy are its beginning.
 * `copyWitnessed` comes next. A checkpoint that lacks a signature by one of the log's types of keys is refused, and one that lacks any which
 * the kept one of the same tree has takes not its place: nothing could be restored without the log's own.
 * @returns the checkpoint that the copy has; null where the log has not begun
 * @throws AmpereError VERIFICATION_FAILED (rules log-rolled-back, log-forked), SIGNATURE_INVALID, LOG_MALFORMED
 */
export async function copyLog(
  source: HomeSource,
  to: HomeStores,
  context: LogContext,
): Promise<Checkpoint | null> {
  const note = await source.checkpoint()
  if (note === null) return null
  const next = await openedNote(note, context, true)
  const { checkpoints } = to.tables
  const row = await checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  const before = row && checkpointIn(fromUtf8(row.value))
  if (before && next.size < before.size)
    throw brokenRule('log-rolled-back', `the log shows ${next.size} entries after ${before.size}`)
  const known = before ? await readEdge(to, before) : { edge: EMPTY_EDGE, tail: [] }
  const grown = await withNews(source, known, next.size)
  if (!equalBytes(rootOf(grown.edge), next.root))
    throw brokenRule(
      'log-forked',
      'the entries of the log are not those that it signed, or not after those before',
    )
  for (const { path, bytes } of grown.files) await storeSame(to.objects.log, path, bytes)
  if (row === null || (fromUtf8(row.value) !== note && !(await lacks(note, fromUtf8(row.value), context))))
    await checkpoints.swap(LOG_PARTITION, PUBLISHED_KEY, row?.version ?? null, utf8(note))
  return next
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

/** True for a note of the same tree that lacks a signature which the other has: whoever is between takes some away. */
async function lacks(note: string, kept: string, { keys, policy, verifiers }: LogContext): Promise<boolean> {
  if (checkpointIn(note).size !== checkpointIn(kept).size) return false
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

async function withNews(
  source: HomeSource,
  known: LogEdge,
  size: number,
): Promise<ReturnType<typeof addEntries>> {
  const news: Uint8Array[] = []
  const { size: before } = known.edge
  for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < size; index++) {
    const width = tileWidth(size, 0, index)
    const bytes = await source.logFile(bundlePath({ index, width }))
    if (!bytes) throw brokenRule('log-withheld', 'a bundle of the log is missing')
    const entries = decodeBundle(bytes, width)
    const known0 = Math.max(0, before - index * TILE_WIDTH)
    news.push(...entries.slice(known0).map((entry) => entry.slice()))
  }
  return addEntries(known, news)
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
