// SPDX-License-Identifier: Apache-2.0
import { LEAF_BYTES } from '../../../../block/leaf.ts'
import { isAmpereError } from '../../../../errors.ts'
import { decodeBundle, encodeBundle } from '../../../../log/tile/bundle.ts'
import { bundlePath, TILE_WIDTH, type BundleId } from '../../../../log/tile/path.ts'
import type { FetchPath } from '../../../../log/tile/read-tile.ts'
import type { LogNotes } from '../report.ts'

const LEAF_VERSION = 1

/** Whether an entry has the form of a leaf, as `decodeLeaf` says it, without an error for each that has not. */
export function isLeaf(entry: Uint8Array): boolean {
  return entry.length === LEAF_BYTES && entry[0] === LEAF_VERSION
}

/**
 * Entries of a stored bundle; null after a finding when there are none to read. Where a partial one is not stored and the
 * full one is, it is cut from that: both begin with the same entries.
 */
export async function fetchBundle(
  fetch: FetchPath,
  id: BundleId,
  notes: LogNotes,
): Promise<readonly Uint8Array[] | null> {
  const path = bundlePath(id)
  const bytes = await fetch(path)
  const entries = bytes && read(bytes, id.width)
  if (entries) return entries
  const [status, detail] = bytes
    ? (['tampered', `the bundle is not one of ${id.width} entries`] as const)
    : (['missing', 'the bundle is not stored'] as const)
  const full = id.width === TILE_WIDTH ? null : await fetch(bundlePath({ ...id, width: TILE_WIDTH }))
  const cut = full && read(full, TILE_WIDTH)?.slice(0, id.width)
  notes.find('bundle', status, path, detail, cut ? { kind: 'object', path, bytes: encodeBundle(cut) } : null)
  return cut ?? null
}

function read(bytes: Uint8Array, width: number): Uint8Array[] | null {
  try {
    return decodeBundle(bytes, width)
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}
