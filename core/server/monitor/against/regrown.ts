// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../../bytes/frame.ts'
import { isAmpereError } from '../../../errors.ts'
import { leafHash } from '../../../log/merkle.ts'
import type { Checkpoint } from '../../../log/note/checkpoint.ts'
import { grow, rootOf, type Edge } from '../../../log/tile/grow.ts'
import { TILE_WIDTH, tilePath, type Tile } from '../../../log/tile/path.ts'
import type { ReadTile } from '../../../log/tile/read-tile.ts'
import { fetchEntries, type LogSource } from '../fetch-log.ts'

/**
 * Leaves that are copied beyond what a monitor has, to prove something of a tree whose log hides its tiles: 4.3 MB of
 * entries at most, which a log can make a monitor read in every run.
 */
export const MAX_REGROWN_LEAVES = 65_536
/** Leaves that are fetched before they are hashed: eight bundles. */
const STEP_LEAVES = 8 * TILE_WIDTH

/** The beginning of a tree, with its tiles at hand. */
export interface Grown {
  readonly edge: Edge
  /** The newest of its tiles. */
  readonly tiles: readonly Tile[]
  /** Reads its other full tiles. */
  readonly kept: ReadTile
}

/**
 * Computes a signed tree from its beginning and from the entries that its log serves: whoever shows entries cannot hide
 * the tiles, and with them the proofs.
 * @returns what reads tiles of that tree; null where it is too large, the entries are not served, or they make another
 */
export async function regrown(
  source: LogSource,
  { edge, tiles, kept }: Grown,
  { size, root }: Checkpoint,
): Promise<ReadTile | null> {
  if (size - edge.size > MAX_REGROWN_LEAVES) return null
  const full = new Map<string, Uint8Array>()
  const add = (grown: readonly Tile[]) => {
    for (const { id, bytes } of grown) if (id.width === TILE_WIDTH) full.set(tilePath(id), bytes)
  }
  add(tiles)
  let current = edge
  while (current.size < size) {
    const to = Math.min(size, Math.floor(current.size / TILE_WIDTH) * TILE_WIDTH + STEP_LEAVES)
    const entries = await served(source, current.size, to)
    if (!entries) return null
    const next = grow(current, entries.map(leafHash))
    add(next.tiles)
    current = next.edge
  }
  if (!equalBytes(rootOf(current), root)) return null
  const { levels } = current
  return async (id) => {
    if (id.width < TILE_WIDTH) return levels[id.level] ?? new Uint8Array(0)
    return full.get(tilePath(id)) ?? kept(id)
  }
}

async function served(source: LogSource, from: number, to: number): Promise<Uint8Array[] | null> {
  try {
    return await fetchEntries(source, from, to)
  } catch (error) {
    if (isAmpereError(error, 'UPSTREAM_FAILED')) return null
    throw error
  }
}
