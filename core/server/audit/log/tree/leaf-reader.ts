// SPDX-License-Identifier: Apache-2.0
import { tileWidth } from '../../../../log/tile/extent.ts'
import { TILE_WIDTH } from '../../../../log/tile/path.ts'
import type { FetchPath } from '../../../../log/tile/read-tile.ts'
import { LogNotes } from '../report.ts'
import { fetchBundle, isLeaf } from './stored-bundle.ts'

/** Bundles that are kept: those at the right edge of each chain that is being read, and some. */
const CACHED_BUNDLES = 64

/**
 * Reads single leaves of a log that was rebuilt, whole bundles at a time. `bad` are bundles that are not what is signed,
 * null where nothing is proved: then there are no leaves.
 */
export function leafReader(
  fetch: FetchPath,
  size: number,
  bad: ReadonlySet<number> | null,
): (index: number) => Promise<Uint8Array | null> {
  const cache = new Map<number, readonly Uint8Array[] | null>()
  return async (index) => {
    const bundle = Math.floor(index / TILE_WIDTH)
    if (!bad || bad.has(bundle)) return null
    let entries = cache.get(bundle)
    if (entries === undefined) {
      const id = { index: bundle, width: tileWidth(size, 0, bundle) }
      entries = await fetchBundle(fetch, id, new LogNotes())
      cache.set(bundle, entries)
      const [oldest] = cache.keys()
      if (cache.size > CACHED_BUNDLES && oldest !== undefined) cache.delete(oldest)
    }
    const entry = entries?.[index % TILE_WIDTH]
    return entry && isLeaf(entry) ? entry : null
  }
}
