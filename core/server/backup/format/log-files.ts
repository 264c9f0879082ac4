// SPDX-License-Identifier: Apache-2.0
import { bundlesBetween, tilesBetween } from '../../../log/tile/extent.ts'
import { bundlePath, parseBundlePath, parseTilePath, TILE_WIDTH, tilePath } from '../../../log/tile/path.ts'

/** Paths of all that a log of `size` entries serves beside its checkpoint: bundles, then tiles. */
export function* logFiles(size: number): Generator<string, void, undefined> {
  for (const id of bundlesBetween(0, size)) yield bundlePath(id)
  for (const id of tilesBetween(0, size)) yield tilePath(id)
}

/** Place of a path among `logFiles`; null for one that is not among them. */
export function logFileIndex(size: number, path: string): number | null {
  const bundle = parseBundlePath(path)
  if (bundle) return bundle.width === widthAt(size, bundle.index) ? bundle.index : null
  const tile = parseTilePath(path)
  if (!tile) return null
  let [hashes, before] = [size, Math.ceil(size / TILE_WIDTH)]
  for (let level = 0; level < tile.level; level++) {
    before += Math.ceil(hashes / TILE_WIDTH)
    hashes = Math.floor(hashes / TILE_WIDTH)
  }
  return tile.width === widthAt(hashes, tile.index) ? before + tile.index : null
}

/** Of the tile or bundle with this index among so many hashes or entries. */
function widthAt(count: number, index: number): number {
  return Math.min(Math.max(count - index * TILE_WIDTH, 0), TILE_WIDTH)
}
