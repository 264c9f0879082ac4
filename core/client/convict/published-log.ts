// SPDX-License-Identifier: Apache-2.0
import { LOG_PREFIX } from '../../api/log.ts'
import { fromUtf8 } from '../../bytes/encoding.ts'
import { LEAF_BYTES } from '../../block/leaf.ts'
import { AmpereError } from '../../errors.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import { MAX_NOTE_BYTES } from '../../log/note/note.ts'
import { decodeBundle } from '../../log/tile/bundle.ts'
import { bundlesBetween } from '../../log/tile/extent.ts'
import { HASH_BYTES } from '../../log/tile/hashes.ts'
import { bundlePath, TILE_WIDTH, type BundleId } from '../../log/tile/path.ts'
import { inclusionFromTiles } from '../../log/tile/read.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import { call } from '../answer.ts'
import type { ClientPorts } from '../client.ts'

/** Bytes of an entry bundle: each entry has its length in two bytes before it. */
const MAX_BUNDLE_BYTES = TILE_WIDTH * (LEAF_BYTES + 2)
/** Bundles that are asked for at a time. */
const AT_ONCE = 8

/** A checkpoint that a home publishes, with the entries of its tree; unchecked. */
export interface PublishedLog {
  readonly note: string
  /** An earlier checkpoint from whose size on the entries are, with the frontier of its tree; null where they are all. */
  readonly from: LogStart | null
  readonly entries: readonly Uint8Array[]
}

/** An earlier checkpoint with the frontier of its tree. */
export interface LogStart {
  readonly note: string
  readonly frontier: readonly Uint8Array[]
}

/** Earlier checkpoints of the same log, from one of which on a log is read that is too large to be read whole. */
export interface EarlierTrees {
  readonly notes: readonly string[]
  /** Whether the entries may begin at that one. */
  readonly isEarly: (note: string) => Promise<boolean>
}

/**
 * The newest tree of the home's log: whole, or from an earlier tree on.
 * @throws AmpereError UPSTREAM_FAILED; NOT_FOUND for a log that has more than `maxEntries` after each early tree;
 * LOG_MALFORMED
 */
export async function readPublishedLog(
  ports: Pick<ClientPorts, 'fetch' | 'deadline' | 'pins'>,
  maxEntries: number,
  earlier: EarlierTrees,
): Promise<PublishedLog> {
  const note = fromUtf8(required(await read(ports, 'checkpoint', MAX_NOTE_BYTES)))
  const { size } = checkpointIn(note)
  const from = size > maxEntries ? await startOf(ports, size, maxEntries, earlier) : null
  const start = from ? checkpointIn(from.note).size : 0
  const ids = [...bundlesBetween(start, size)]
  const entries: Uint8Array[] = []
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const bundles = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => readBundle(ports, id)))
    entries.push(...bundles.flat())
  }
  return { note, from, entries: entries.slice(start % TILE_WIDTH) }
}

async function startOf(
  ports: Pick<ClientPorts, 'fetch' | 'deadline' | 'pins'>,
  size: number,
  maxEntries: number,
  { notes, isEarly }: EarlierTrees,
): Promise<LogStart> {
  const sized = notes.map((note) => ({ note, start: checkpointIn(note).size }))
  const fitting = sized.filter(({ start }) => start > 0 && start < size && size - start <= maxEntries)
  for (const { note, start } of fitting.toSorted((a, b) => b.start - a.start)) {
    if (!(await isEarly(note))) continue
    // The inclusion proof of the next leaf is made of the complete subtrees before it, the smallest first.
    const tiles = tileReader((path) => read(ports, path, TILE_WIDTH * HASH_BYTES), size)
    return { note, frontier: (await inclusionFromTiles(start, start + 1, tiles)).toReversed() }
  }
  throw new AmpereError('NOT_FOUND', 'the log has more entries than a file can hold')
}

/** A partial bundle may have given way to the full one (c2sp.org/tlog-tiles). */
async function readBundle(
  ports: Pick<ClientPorts, 'fetch' | 'deadline' | 'pins'>,
  { index, width }: BundleId,
): Promise<readonly Uint8Array[]> {
  const own = await read(ports, bundlePath({ index, width }), MAX_BUNDLE_BYTES)
  if (own) return decodeBundle(own, width)
  const full = required(await read(ports, bundlePath({ index, width: TILE_WIDTH }), MAX_BUNDLE_BYTES))
  return decodeBundle(full, TILE_WIDTH).slice(0, width)
}

async function read(
  ports: Pick<ClientPorts, 'fetch' | 'deadline' | 'pins'>,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const url = new URL(`${LOG_PREFIX}/${path}`, ports.pins.origin)
  const request = { url, init: {}, bytes: 0 }
  const { ok, bytes } = await call(ports, request, { maxBytes, beyond: 'fail' })
  return ok ? bytes : null
}

function required(bytes: Uint8Array | null): Uint8Array {
  if (!bytes) throw new AmpereError('UPSTREAM_FAILED', 'the home does not serve a part of its log')
  return bytes
}
