// SPDX-License-Identifier: Apache-2.0
import { leafHash } from '#core/log/merkle.ts'
import { encodeBundle } from '#core/log/tile/bundle.ts'
import { rootWithin } from '#core/log/tile/hashes.ts'
import { TILE_WIDTH } from '#core/log/tile/path.ts'

/** Entries of a log that no run could read to its end. */
export const ENDLESS = 2 ** 40

/** A log of `ENDLESS` times the same entry: whoever serves it has one bundle, and one tile of each level. */
export function endlessLog() {
  const entry = new Uint8Array(65).fill(1)
  const bundle = encodeBundle(Array.from({ length: TILE_WIDTH }, () => entry))
  const tiles: Uint8Array[] = []
  let hash: Uint8Array = leafHash(entry)
  for (let level = 0; level < 5; level++) {
    const tile = new Uint8Array(TILE_WIDTH * hash.length)
    for (let at = 0; at < tile.length; at += hash.length) tile.set(hash, at)
    tiles.push(tile)
    hash = rootWithin(tile, 0, TILE_WIDTH)
  }
  const file = (path: string): Uint8Array | null =>
    path.startsWith('tile/entries/') ? bundle : (tiles[Number(path.split('/')[1])] ?? null)
  return { root: hash, file }
}
