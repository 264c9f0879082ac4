// SPDX-License-Identifier: Apache-2.0
import { merkleRoot, nodeHash } from '../merkle.ts'
import { isTreeSize, tileWidth } from './extent.ts'
import { HASH_BYTES, rootWithin, subtreeSizes, TILE_BYTES } from './hashes.ts'
import { TILE_WIDTH, type Tile, type TileId } from './path.ts'
import { readTiles, type ReadTile } from './read-tile.ts'

/**
 * The right edge of a tree: all that is needed to add leaves to it and to know its root, at most 8160 bytes per level.
 * Never changed in place.
 */
export interface Edge {
  /** Number of leaves, 0..2^53-1. */
  readonly size: number
  /** By tile level, the hashes that are not in a full tile yet, one after the other: 0 to 255 of 32 bytes. */
  readonly levels: readonly Uint8Array[]
}

/** The edge of the tree without leaves. */
export const EMPTY_EDGE: Edge = { size: 0, levels: [] }

/**
 * Reads the edge of a tree of `size` leaves from its partial tiles, one for each level at most.
 * Nothing is verified: compare `rootOf` with the root that a checkpoint states.
 * @throws RangeError for an impossible size, AmpereError LOG_MALFORMED for a tile of the wrong length
 */
export async function edgeOf(size: number, readTile: ReadTile): Promise<Edge> {
  if (!isTreeSize(size)) throw new RangeError('no such tree size')
  const wanted: TileId[] = []
  const levels: Uint8Array[] = []
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const index = Math.floor(hashes / TILE_WIDTH)
    const width = tileWidth(size, level, index)
    if (width > 0) wanted.push({ level, index, width })
    levels.push(new Uint8Array(0))
  }
  for (const { id, bytes } of await readTiles(wanted, readTile)) levels[id.level] = bytes
  return { size, levels }
}

/**
 * Adds leaves at the right. `tiles` is exactly what the new size needs beyond the old one (`tilesBetween`), by level
 * and index: the tiles that became full, and the partial one of every level that grew. Full tiles are hashed once,
 * when they become full; a partial tile is never hashed upward (c2sp.org/tlog-tiles).
 * @throws RangeError for a hash that has not 32 bytes, and past 2^53-1 leaves
 */
export function grow(edge: Edge, leafHashes: readonly Uint8Array[]): { edge: Edge; tiles: Tile[] } {
  const size = edge.size + leafHashes.length
  if (!isTreeSize(size)) throw new RangeError('the tree would be too large')
  const levels = [...edge.levels]
  const tiles: Tile[] = []
  let [added, before] = [leafHashes, edge.size]
  for (let level = 0; added.length > 0; level++) {
    const row = appended(levels[level], added)
    const parents: Uint8Array[] = []
    const first = Math.floor(before / TILE_WIDTH)
    for (let at = 0; at < row.length; at += TILE_BYTES) {
      // Copies, so that a store that keeps a tile does not keep the whole row.
      const bytes = row.slice(at, at + TILE_BYTES)
      const width = bytes.length / HASH_BYTES
      tiles.push({ id: { level, index: first + at / TILE_BYTES, width }, bytes })
      if (width === TILE_WIDTH) parents.push(rootWithin(bytes, 0, TILE_WIDTH))
    }
    levels[level] = row.slice(parents.length * TILE_BYTES)
    ;[added, before] = [parents, first]
  }
  return { edge: { size, levels }, tiles }
}

/** Root of the tree with this edge; of the empty tree it is SHA-256 of the empty string. */
export function rootOf(edge: Edge): Uint8Array {
  let root: Uint8Array | null = null
  for (const row of edge.levels) {
    let end = row.length / HASH_BYTES
    for (const count of subtreeSizes(end).toReversed()) {
      end -= count
      const subtree = rootWithin(row, end, count)
      root = root ? nodeHash(subtree, root) : subtree
    }
  }
  return root ?? merkleRoot([])
}

function appended(row: Uint8Array | undefined, hashes: readonly Uint8Array[]): Uint8Array {
  const start = row?.length ?? 0
  const out = new Uint8Array(start + hashes.length * HASH_BYTES)
  if (row) out.set(row)
  hashes.forEach((hash, i) => {
    if (hash.length !== HASH_BYTES) throw new RangeError('a hash of a tree has 32 bytes')
    out.set(hash, start + i * HASH_BYTES)
  })
  return out
}
