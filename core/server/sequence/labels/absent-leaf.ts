// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../../bytes/frame.ts'
import { checkTile } from '../../../log/tile/check.ts'
import type { Edge } from '../../../log/tile/grow.ts'
import { HASH_BYTES, hashAt } from '../../../log/tile/hashes.ts'
import { TILE_WIDTH, tilePath } from '../../../log/tile/path.ts'
import type { FetchObjects } from '../../../ports/objects.ts'

/**
 * Whether it is certain that a full bundle does not have a leaf, where the bundle itself cannot be read: its tile has the
 * hashes of its leaves, and the tiles above it lead to the edge, which the signed root proves.
 * @param edge of the committed tree
 * @returns false also where one of those tiles cannot be read or was changed: then nobody can say
 */
export async function isAbsent(
  objects: FetchObjects,
  edge: Edge,
  index: number,
  leaf: Uint8Array,
): Promise<boolean> {
  const tile = await provedTile(objects, edge, 0, index)
  if (!tile) return false
  for (let at = 0; at < tile.length / HASH_BYTES; at++) if (equalBytes(hashAt(tile, at), leaf)) return false
  return true
}

/** A full tile that the edge proves, or null. */
async function provedTile(
  objects: FetchObjects,
  edge: Edge,
  level: number,
  index: number,
): Promise<Uint8Array | null> {
  const tile = await objects.fetch(tilePath({ level, index, width: TILE_WIDTH }))
  const above = Math.floor(index / TILE_WIDTH)
  const full = Math.floor(edge.size / TILE_WIDTH ** (level + 2))
  const parents = above < full ? await provedTile(objects, edge, level + 1, above) : edge.levels[level + 1]
  return tile && parents && checkTile(tile, hashAt(parents, index % TILE_WIDTH)) ? tile : null
}
