// SPDX-License-Identifier: Apache-2.0
import { bundlesBetween, tileWidth } from '../../../../log/tile/extent.ts'
import { HASH_BYTES, hashAt } from '../../../../log/tile/hashes.ts'
import { bundlePath, parseTilePath, TILE_WIDTH, tilePath } from '../../../../log/tile/path.ts'
import type { FetchPath } from '../../../../log/tile/read-tile.ts'
import type { Wanted } from '../blocks/recover-bundles.ts'
import { LogNotes } from '../report.ts'
import type { Damage } from './locate.ts'
import { fetchBundle } from './stored-bundle.ts'

/** Bundles of a tree with the signed root that cannot be read: their tiles are proved by it. */
export async function provenSuspects(
  fetch: FetchPath,
  size: number,
  missing: ReadonlySet<number>,
): Promise<readonly Wanted[]> {
  const wanted: Wanted[] = []
  for (const index of missing) {
    const width = tileWidth(size, 0, index)
    const tile = await fetch(tilePath({ level: 0, index, width }))
    if (tile?.length === width * HASH_BYTES) wanted.push(suspect(index, width, tile))
  }
  return wanted
}

/** Bundles that tiles prove to be wrong, and those of which neither bundle nor tile is right; null where there are none. */
export function suspectsOf({ bad, unproven }: Damage, size: number): readonly Wanted[] | null {
  const proven = [...bad].map(([index, tile]) => suspect(index, tileWidth(size, 0, index), tile))
  const others = unproven.flatMap((path) => {
    const tile = parseTilePath(path)
    return tile?.level === 0 ? [suspect(tile.index, tileWidth(size, 0, tile.index), null)] : []
  })
  return proven.length + others.length === 0 ? null : [...proven, ...others]
}

/** Bundles of which nothing can be read, neither they nor their tiles, and the one at the right edge. */
export async function unreadableSuspects(
  fetch: FetchPath,
  size: number,
  from: number,
): Promise<readonly Wanted[]> {
  const wanted: Wanted[] = []
  for (const { index, width } of bundlesBetween(from, size)) {
    const isEdge = (index + 1) * TILE_WIDTH >= size
    const tile = await fetch(tilePath({ level: 0, index, width }))
    const isLost =
      tile?.length !== width * HASH_BYTES && !(await fetchBundle(fetch, { index, width }, new LogNotes()))
    if (isEdge || isLost) wanted.push(suspect(index, width, null))
  }
  return wanted
}

function suspect(index: number, width: number, tile: Uint8Array | null): Wanted {
  const hashes = tile && Array.from({ length: width }, (_, i) => hashAt(tile, i))
  return { index, width, path: bundlePath({ index, width }), hashes }
}
