// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import { AmpereError } from '../../errors.ts'
import type { Edge } from '../../log/tile/grow.ts'
import { HASH_BYTES, TILE_BYTES } from '../../log/tile/hashes.ts'
import { TILE_WIDTH, tilePath, type Tile, type TileId } from '../../log/tile/path.ts'
import type { ReadTile } from '../../log/tile/read-tile.ts'
import type { AppendTable, ReadTable } from '../../ports/table.ts'

/** Partition of the monitor's table with the full tiles of a log, `copiedUnder`. */
export function tilesPartition(under: string): string {
  return `tiles/${under}`
}

/**
 * Keeps the full tiles among those that a tree grew by, so that what a monitor has found it can prove without the log.
 * Partial ones are the row's edge. Those that are there already are what an earlier run left.
 * @throws AmpereError STORE_CORRUPT for another one in its place: all are of one verified tree
 */
export async function keepTiles(table: AppendTable, under: string, tiles: readonly Tile[]): Promise<void> {
  const full = tiles.filter(({ id }) => id.width === TILE_WIDTH)
  await Promise.all(full.map((tile) => keepTile(table, under, tile)))
}

async function keepTile(table: AppendTable, under: string, { id, bytes }: Tile): Promise<void> {
  const partition = tilesPartition(under)
  const path = tilePath(id)
  if ((await table.insert(partition, path, bytes)) === 'inserted') return
  const kept = await table.get(partition, path)
  if (!kept || !equalBytes(kept.value, bytes)) throw corrupt(path)
}

/**
 * Reads tiles of the tree with this edge, and of every smaller one. What is read is unchecked: whoever makes a proof of
 * it verifies that. The reader throws AmpereError STORE_CORRUPT for a tile that is not there
 */
export function keptTiles(table: ReadTable, under: string, edge: Edge): ReadTile {
  return async (id) => {
    const bytes = isFull(id, edge) ? await fullTile(table, under, id) : edge.levels[id.level]
    const length = id.width * HASH_BYTES
    if (!bytes || bytes.length < length) throw corrupt(tilePath(id))
    return bytes.subarray(0, length)
  }
}

/** Whether the tile at this place is full in the tree with this edge, and so in a row of its own. */
function isFull({ level, index }: TileId, { size }: Edge): boolean {
  // Division and not a shift: sizes go up to 2^53-1.
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return index < Math.floor(hashes / TILE_WIDTH)
}

async function fullTile(table: ReadTable, under: string, { level, index }: TileId): Promise<Uint8Array> {
  const path = tilePath({ level, index, width: TILE_WIDTH })
  const row = await table.get(tilesPartition(under), path)
  if (row?.value.length !== TILE_BYTES) throw corrupt(path)
  return row.value
}

function corrupt(path: string): AmpereError {
  return new AmpereError('STORE_CORRUPT', `${path} of a monitored log was changed or removed`)
}
