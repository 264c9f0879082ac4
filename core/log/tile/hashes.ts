// SPDX-License-Identifier: Apache-2.0
import { merkleRoot, splitOf } from '../merkle.ts'
import { TILE_WIDTH } from './path.ts'

/** Bytes of a hash in a tile: SHA-256. */
export const HASH_BYTES = 32
/** Bytes of a full hash tile. */
export const TILE_BYTES = TILE_WIDTH * HASH_BYTES

/** One hash of a tile, as a view of it. */
export function hashAt(tile: Uint8Array, index: number): Uint8Array {
  return tile.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)
}

/** Merkle tree hash over `count` hashes of a tile, beginning with the one at `start`. */
export function rootWithin(tile: Uint8Array, start: number, count: number): Uint8Array<ArrayBuffer> {
  return merkleRoot(Array.from({ length: count }, (_, i) => hashAt(tile, start + i)))
}

/**
 * Sizes of the complete subtrees that `count` leaves consist of, left to right: the powers of two of its binary form,
 * the largest first. The Merkle tree hash (RFC 9162 section 2.1.1) joins their roots from the right.
 */
export function subtreeSizes(count: number): number[] {
  const sizes: number[] = []
  // splitOf gives a power of two below its argument, and `left` itself may be one.
  for (let left = count; left > 0; left -= sizes.at(-1) ?? left) sizes.push(splitOf(left + 1))
  return sizes
}
