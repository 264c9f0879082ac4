// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import { EMPTY_EDGE, grow, rootOf, type Edge } from './grow.ts'
import { HASH_BYTES, rootWithin, TILE_BYTES } from './hashes.ts'
import { TILE_WIDTH, type Tile, type TileId } from './path.ts'
import { fetchTile, type FetchPath } from './read-tile.ts'

/** Whether a tile is full and its root is `parent`, the hash that stands for it one level up. */
export function checkTile(tile: Uint8Array, parent: Uint8Array): boolean {
  return tile.length === TILE_BYTES && equalBytes(rootWithin(tile, 0, TILE_WIDTH), parent)
}

/** What is wrong with a stored tile. */
export interface TileFlaw {
  readonly id: TileId
  readonly flaw: 'missing' | 'wrong-length' | 'different'
}

/**
 * Compares the tiles of a log with what its leaves say they must be, in memory that does not grow with the tree: leaf
 * hashes go in, in order; each tile is computed once and compared when it is full, and the partial tiles of `size`
 * when the last leaf is in (`add([])` where there is none to add). Flaws are evidence, not errors: the check goes on after one.
 *
 * An incremental check begins at the `edge` that an earlier one ended with: what that one covered is not read again.
 */
export class TreeCheck {
  readonly #fetch: FetchPath
  readonly #size: number
  #edge: Edge

  /** @throws RangeError where `from` is larger than `size` */
  constructor(fetch: FetchPath, size: number, from: Edge = EMPTY_EDGE) {
    if (!Number.isSafeInteger(size) || from.size > size) throw new RangeError('no such tree size')
    this.#fetch = fetch
    this.#size = size
    this.#edge = from
  }

  /** The edge of the leaves that are in so far. */
  get edge(): Edge {
    return this.#edge
  }

  /**
   * Takes the next leaf hashes and compares the tiles that they complete; batches of 1,000 or so, one at a time.
   * @throws RangeError for more leaves than `size`, or what the fetch throws; then nothing was taken
   */
  async add(leafHashes: readonly Uint8Array[]): Promise<TileFlaw[]> {
    if (this.#edge.size + leafHashes.length > this.#size)
      throw new RangeError('more leaves than the tree has')
    const { edge, tiles } = grow(this.#edge, leafHashes)
    const full = tiles.filter(({ id }) => id.width === TILE_WIDTH)
    const due = edge.size === this.#size ? [...full, ...partialTiles(edge)] : full
    const flaws = await Promise.all(due.map((tile) => this.#compare(tile)))
    this.#edge = edge
    return flaws.filter((flaw) => flaw !== null)
  }

  /** Root of the leaves that are in: once all are, what the checkpoint must state. */
  root(): Uint8Array {
    return rootOf(this.#edge)
  }

  async #compare({ id, bytes }: Tile): Promise<TileFlaw | null> {
    const stored = await fetchTile(this.#fetch, id)
    if (typeof stored === 'string') return { id, flaw: stored }
    return equalBytes(stored, bytes) ? null : { id, flaw: 'different' }
  }
}

/** The partial tiles of a tree with this edge. */
export function partialTiles({ size, levels }: Edge): Tile[] {
  return levels.flatMap((bytes, level) => {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    return bytes.length > 0 ? [{ id: { level, index, width: bytes.length / HASH_BYTES }, bytes }] : []
  })
}
