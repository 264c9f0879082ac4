// SPDX-License-Identifier: Apache-2.0
import { TILE_WIDTH, type BundleId, type TileId } from './path.ts'

/**
 * How many hashes the tile at `level` and `index` has in a tree of `size` leaves: 0 (there is no such tile) to 256.
 * Division, not shifts: sizes go up to 2^53-1.
 */
export function tileWidth(size: number, level: number, index: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.min(Math.max(hashes - index * TILE_WIDTH, 0), TILE_WIDTH)
}

/**
 * The tiles that a tree of `newer` leaves needs beyond those of its prefix of `older` leaves, by level and index:
 * every tile that became full and the partial one at the right edge of every level that grew. From 0 it is all tiles.
 * @throws RangeError unless 0 <= older <= newer
 */
export function* tilesBetween(older: number, newer: number): Generator<TileId, void, undefined> {
  checkSizes(older, newer)
  let [before, after] = [older, newer]
  for (let level = 0; after > before; level++) {
    for (const bundle of rowBetween(before, after)) yield { level, ...bundle }
    before = Math.floor(before / TILE_WIDTH)
    after = Math.floor(after / TILE_WIDTH)
  }
}

/** The entry bundles that a log of `newer` entries needs beyond those of its first `older`. @throws RangeError */
export function* bundlesBetween(older: number, newer: number): Generator<BundleId, void, undefined> {
  checkSizes(older, newer)
  if (newer > older) yield* rowBetween(older, newer)
}

/** True for what can be the size of a tree here: an integer from 0 to 2^53-1. */
export function isTreeSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

function* rowBetween(older: number, newer: number): Generator<BundleId, void, undefined> {
  const full = Math.floor(newer / TILE_WIDTH)
  for (let index = Math.floor(older / TILE_WIDTH); index < full; index++) yield { index, width: TILE_WIDTH }
  const width = newer % TILE_WIDTH
  if (width > 0) yield { index: full, width }
}

function checkSizes(older: number, newer: number): void {
  if (!isTreeSize(older) || !isTreeSize(newer) || older > newer) throw new RangeError('no such smaller tree')
}
