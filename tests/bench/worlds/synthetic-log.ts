// SPDX-License-Identifier: Apache-2.0
import { sha256 } from '#core/crypto/hash.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { encodeLeaf } from '#core/block/leaf.ts'
import { leafHash } from '#core/log/merkle.ts'
import { encodeBundle } from '#core/log/tile/bundle.ts'
import { partialTiles } from '#core/log/tile/check.ts'
import { EMPTY_EDGE, grow, rootOf, type Edge } from '#core/log/tile/grow.ts'
import { bundlePath, TILE_WIDTH, tilePath } from '#core/log/tile/path.ts'
import type { StoreObjects } from '#core/ports/objects.ts'

/** Bundles whose objects are stored at the same time, so that they share an fsync. */
const PARALLEL = 64

/** Stores tiles and bundles of a log with that many leaves of no block. @returns its root */
export async function storeSyntheticLog(objects: StoreObjects, size: number): Promise<Uint8Array> {
  let edge: Edge = EMPTY_EDGE
  let waiting: Promise<unknown>[] = []
  while (edge.size < size) {
    const first = edge.size
    const entries = Array.from({ length: Math.min(TILE_WIDTH, size - first) }, (_, i) => leafOf(first + i))
    const grown = grow(edge, entries.map(leafHash))
    const id = { index: first / TILE_WIDTH, width: entries.length }
    waiting.push(objects.store(bundlePath(id), encodeBundle(entries)))
    const full = grown.tiles.filter((tile) => tile.id.width === TILE_WIDTH)
    const due = grown.edge.size === size ? [...full, ...partialTiles(grown.edge)] : full
    for (const tile of due) waiting.push(objects.store(tilePath(tile.id), tile.bytes))
    if (id.index % PARALLEL === 0) {
      await Promise.all(waiting)
      waiting = []
    }
    ;({ edge } = grown)
  }
  await Promise.all(waiting)
  return rootOf(edge)
}

function leafOf(index: number): Uint8Array {
  return encodeLeaf({ label: sha256(utf8(`label ${index}`)), hash: sha256(utf8(`block ${index}`)) })
}
