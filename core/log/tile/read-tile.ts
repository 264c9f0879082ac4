// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../../errors.ts'
import { tileWidth } from './extent.ts'
import { HASH_BYTES } from './hashes.ts'
import { TILE_WIDTH, tilePath, type Tile, type TileId } from './path.ts'

/** Gives a tile's bytes, exactly `id.width` hashes of 32 bytes. They belong to the reader: never change them. */
export type ReadTile = (id: TileId) => Promise<Uint8Array>

/** Gives what a log serves at a path below its prefix, or null where it serves nothing. Not trusted. */
export type FetchPath = (path: string) => Promise<Uint8Array | null>

/** Tiles that `tileReader` keeps when it is not told otherwise: 512 KiB. A proof needs 14 at most. */
export const CACHED_TILES = 64

/**
 * Reads tiles of a tree of `size` leaves from a log that has published that size or a larger one. Each tile is
 * fetched once at the width that it has in that tree, however narrow it is asked for; concurrent callers share the
 * fetch; the `cachedTiles` used last are kept. What is read is as trustworthy as its source: proofs and roots made of
 * it must be verified against a checkpoint.
 * The reader throws RangeError for a tile outside the tree, AmpereError NOT_FOUND for one that the log does not have
 * and LOG_MALFORMED for one of the wrong length. A failed fetch is not kept.
 */
export function tileReader(fetch: FetchPath, size: number, cachedTiles: number = CACHED_TILES): ReadTile {
  const cache = new Map<string, Promise<Uint8Array>>()
  return async ({ level, index, width }) => {
    const available = tileWidth(size, level, index)
    if (!Number.isSafeInteger(width) || width < 1 || width > available)
      throw new RangeError('no such tile in a tree of this size')
    const id = { level, index, width: available }
    const path = tilePath(id)
    const reading = cache.get(path) ?? fetched(fetch, id)
    // A Map lists keys in the order of their insertion: inserted again, the first is the one used least recently.
    cache.delete(path)
    cache.set(path, reading)
    for (const oldest of cache.keys()) {
      if (cache.size <= cachedTiles) break
      cache.delete(oldest)
    }
    try {
      return (await reading).subarray(0, width * HASH_BYTES)
    } catch (cause) {
      if (cache.get(path) === reading) cache.delete(path)
      throw cause
    }
  }
}

/**
 * What a log has as a tile. A partial tile may be gone once the full one exists (c2sp.org/tlog-tiles): then the full
 * one is fetched and cut. `missing` where it has neither, `wrong-length` for anything but the stated number of hashes.
 */
export async function fetchTile(
  fetch: FetchPath,
  id: TileId,
): Promise<Uint8Array | 'missing' | 'wrong-length'> {
  const own = await fetch(tilePath(id))
  if (own) return own.length === id.width * HASH_BYTES ? own : 'wrong-length'
  if (id.width === TILE_WIDTH) return 'missing'
  const full = await fetchTile(fetch, { ...id, width: TILE_WIDTH })
  return typeof full === 'string' ? full : full.subarray(0, id.width * HASH_BYTES)
}

/** Reads several tiles together. @throws AmpereError LOG_MALFORMED for one of the wrong length */
export async function readTiles(ids: readonly TileId[], readTile: ReadTile): Promise<Tile[]> {
  return Promise.all(
    ids.map(async (id) => {
      const bytes = await readTile(id)
      if (bytes.length !== id.width * HASH_BYTES) throw wrongLength(id)
      return { id, bytes }
    }),
  )
}

async function fetched(fetch: FetchPath, id: TileId): Promise<Uint8Array> {
  const tile = await fetchTile(fetch, id)
  if (tile === 'missing') throw new AmpereError('NOT_FOUND', `the log has no ${tilePath(id)}`)
  if (tile === 'wrong-length') throw wrongLength(id)
  return tile
}

function wrongLength(id: TileId): AmpereError {
  return new AmpereError('LOG_MALFORMED', `${tilePath(id)} has not ${id.width} hashes`)
}
