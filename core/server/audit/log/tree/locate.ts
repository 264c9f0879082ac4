// SPDX-License-Identifier: Apache-2.0
import { concat, equalBytes } from '../../../../bytes/frame.ts'
import { leafHash } from '../../../../log/merkle.ts'
import { tileWidth } from '../../../../log/tile/extent.ts'
import { rootOf, type Edge } from '../../../../log/tile/grow.ts'
import { HASH_BYTES, hashAt, rootWithin, TILE_BYTES } from '../../../../log/tile/hashes.ts'
import { TILE_WIDTH, tilePath, type TileId } from '../../../../log/tile/path.ts'
import type { FetchPath } from '../../../../log/tile/read-tile.ts'
import { LogNotes } from '../report.ts'
import { fetchBundle } from './stored-bundle.ts'

/** A tree whose root is signed, and whose bundles do not make it. */
export interface Damaged {
  readonly fetch: FetchPath
  readonly size: number
  /** The signed root. */
  readonly root: Uint8Array
  /** The edge that the bundles make. */
  readonly built: Edge
}

/** What the tiles tell of a damaged log. */
export interface Damage {
  /** Bundles that are wrong, with the tile above them, which is proved. */
  readonly bad: Map<number, Uint8Array>
  /** Paths of tiles whose hash is proved, and that are neither stored nor what is stored below them. */
  readonly unproven: string[]
}

/** Unproven tiles that are named. */
const MAX_UNPROVEN = 100

/**
 * Which bundles are wrong, by tiles that lead up to the signed root: from the right edge downwards each tile is proved
 * by its hash in the one above. Reads the whole log once more, which only a damaged one needs.
 * @returns null where not even the right edge leads to the root
 */
export async function findDamage(damaged: Damaged): Promise<Damage | null> {
  const levels = await provenEdge(damaged)
  if (!levels) return null
  const damage: Damage = { bad: new Map(), unproven: [] }
  for (const [level, bytes] of levels.entries()) {
    const index = Math.floor(damaged.size / TILE_WIDTH ** (level + 1))
    if (bytes.length > 0) await descend(damaged, { level, index }, bytes, damage)
  }
  return damage
}

/** Of each level's partial tile the stored or the rebuilt one, such that together they have the signed root. */
async function provenEdge({ fetch, size, root, built }: Damaged): Promise<readonly Uint8Array[] | null> {
  const stored: Uint8Array[] = []
  for (const [level, own] of built.levels.entries()) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    const width = tileWidth(size, level, index)
    const bytes = width === 0 ? null : await fetch(tilePath({ level, index, width }))
    stored.push(bytes?.length === width * HASH_BYTES ? bytes : own)
  }
  // Seven levels at most: at most 128 ways.
  for (let choice = 0; choice < 2 ** stored.length; choice++) {
    const levels = stored.map((bytes, level) => {
      const isBuilt = Math.floor(choice / 2 ** level) % 2 === 1
      return isBuilt ? (built.levels[level] ?? bytes) : bytes
    })
    if (equalBytes(rootOf({ size, levels }), root)) return levels
  }
  return null
}

/** Adds what is wrong under a proven tile. */
async function descend(
  damaged: Damaged,
  { level, index }: Pick<TileId, 'level' | 'index'>,
  tile: Uint8Array,
  damage: Damage,
): Promise<void> {
  const width = tile.length / HASH_BYTES
  if (level === 0) {
    const hashes = await leafHashes(damaged.fetch, index, width)
    if (!hashes || !equalBytes(hashes, tile)) damage.bad.set(index, tile)
    return
  }
  for (let i = 0; i < width; i++) {
    const below = { level: level - 1, index: index * TILE_WIDTH + i }
    const child = await provenTile(damaged.fetch, below, hashAt(tile, i))
    if (child) await descend(damaged, below, child, damage)
    else if (damage.unproven.length < MAX_UNPROVEN)
      damage.unproven.push(tilePath({ ...below, width: TILE_WIDTH }))
  }
}

/** The full tile with this root: the stored one, or what is stored below it. */
async function provenTile(
  fetch: FetchPath,
  at: Pick<TileId, 'level' | 'index'>,
  root: Uint8Array,
): Promise<Uint8Array | null> {
  const isProven = (bytes: Uint8Array | null): bytes is Uint8Array =>
    bytes?.length === TILE_BYTES && equalBytes(rootWithin(bytes, 0, TILE_WIDTH), root)
  const stored = await fetch(tilePath({ ...at, width: TILE_WIDTH }))
  if (isProven(stored)) return stored
  const below = await fromBelow(fetch, at)
  return isProven(below) ? below : null
}

async function fromBelow(
  fetch: FetchPath,
  { level, index }: Pick<TileId, 'level' | 'index'>,
): Promise<Uint8Array | null> {
  if (level === 0) return leafHashes(fetch, index, TILE_WIDTH)
  const roots: Uint8Array[] = []
  for (let i = 0; i < TILE_WIDTH; i++) {
    const child = await fetch(
      tilePath({ level: level - 1, index: index * TILE_WIDTH + i, width: TILE_WIDTH }),
    )
    if (child?.length !== TILE_BYTES) return null
    roots.push(rootWithin(child, 0, TILE_WIDTH))
  }
  return concat(...roots)
}

async function leafHashes(fetch: FetchPath, index: number, width: number): Promise<Uint8Array | null> {
  const entries = await fetchBundle(fetch, { index, width }, new LogNotes())
  return entries && concat(...entries.map(leafHash))
}
