// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '../../errors.ts'
import { MAX_NOTE_BYTES } from '../../log/note/note.ts'
import { decodeBundle } from '../../log/tile/bundle.ts'
import { bundlesBetween } from '../../log/tile/extent.ts'
import { TILE_BYTES } from '../../log/tile/hashes.ts'
import { bundlePath, TILE_WIDTH, type BundleId } from '../../log/tile/path.ts'
import { tileReader, type ReadTile } from '../../log/tile/read-tile.ts'
import { ask } from '../../order/ask.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Fetch } from '../../ports/keys.ts'

/** How long a log may take for one answer, in milliseconds. */
export const LOG_TIMEOUT_MS = 5_000
/** Bytes of an entry bundle that are read. One of this format has 17,152; more room lets entries of another form be seen. */
export const MAX_BUNDLE_BYTES = 1024 * 1024
/** Bundles that are read at once. */
const AT_ONCE = 4

/** A log as it is served by somebody who is not trusted. */
export interface LogSource {
  readonly url: string
  readonly fetch: Fetch
  readonly deadline: Deadline
}

/** The bytes of the newest checkpoint's note, unchecked. @throws AmpereError UPSTREAM_FAILED */
export async function fetchCheckpoint(source: LogSource): Promise<Uint8Array> {
  const bytes = await fetchFile(source, 'checkpoint', MAX_NOTE_BYTES)
  if (!bytes) throw failed('the log serves no checkpoint')
  return bytes
}

/**
 * The entries from one index up to another, unchecked, in bundles: a full one, once it is full, otherwise the partial
 * one of that size, or the full one that took its place (c2sp.org/tlog-tiles).
 * @throws AmpereError UPSTREAM_FAILED
 */
export async function fetchEntries(source: LogSource, from: number, to: number): Promise<Uint8Array[]> {
  const ids = [...bundlesBetween(from, to)]
  const entries: Uint8Array[] = []
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const bundles = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => fetchBundle(source, id)))
    entries.push(...bundles.flat())
  }
  return entries.slice(from % TILE_WIDTH)
}

/** Reads hash tiles of a tree, unchecked: for proofs, which are verified. The reader throws UPSTREAM_FAILED */
export function tilesOf(source: LogSource, size: number): ReadTile {
  const read = tileReader((path) => fetchFile(source, path, TILE_BYTES), size)
  return async (id) => {
    try {
      return await read(id)
    } catch (cause) {
      if (isAmpereError(cause, 'NOT_FOUND', 'LOG_MALFORMED'))
        throw failed('the log does not serve a tile of its tree', cause)
      throw cause
    }
  }
}

async function fetchBundle(source: LogSource, { index, width }: BundleId): Promise<Uint8Array[]> {
  const own = await fetchFile(source, bundlePath({ index, width }), MAX_BUNDLE_BYTES)
  if (own) return decoded(own, width)
  if (width === TILE_WIDTH) throw failed('the log does not serve entries of its tree')
  return (await fetchBundle(source, { index, width: TILE_WIDTH })).slice(0, width)
}

function decoded(bytes: Uint8Array, width: number): Uint8Array[] {
  try {
    return decodeBundle(bytes, width)
  } catch (cause) {
    throw failed('the log answered with something that is no entry bundle', cause)
  }
}

/** What is served at a path below a log's prefix; null for 404. @throws AmpereError UPSTREAM_FAILED */
export async function fetchFile(
  { url, fetch, deadline }: LogSource,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const request = { url: `${url.replace(/\/$/, '')}/${path}`, init: {} }
  const { status, bytes } = await ask(fetch, request, {
    who: WHO,
    first: deadline(LOG_TIMEOUT_MS),
    limits: (answer) => (answer.status === 200 ? { maxBytes, beyond: 'fail' } : null),
  })
  if (status === 404) return null
  if (status !== 200) throw failed(`the log answered ${status}`)
  return bytes
}

/** Who is asked, in messages. */
const WHO = 'the log'

function failed(what: string, cause?: unknown): AmpereError {
  return new AmpereError('UPSTREAM_FAILED', what, { cause })
}
