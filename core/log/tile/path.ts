// SPDX-License-Identifier: Apache-2.0

/** Hashes in a full tile and entries in a full bundle, c2sp.org/tlog-tiles. Part of the format. */
export const TILE_WIDTH = 256
/** Tile levels that the format has; a tree of 2^53-1 leaves uses 0 to 6. */
const MAX_LEVEL = 63

/**
 * A tile: `width` hashes (1..256) that begin with hash `index * 256` of tile level `level` (0..63).
 * Level 0 holds leaf hashes; a hash of level l is the root of a full tile of level l-1.
 */
export interface TileId {
  readonly level: number
  readonly index: number
  readonly width: number
}

/** A tile and its bytes: `id.width` hashes of 32 bytes. */
export interface Tile {
  readonly id: TileId
  readonly bytes: Uint8Array
}

/** An entry bundle: the `width` log entries (1..256) that begin with entry `index * 256`. */
export interface BundleId {
  readonly index: number
  readonly width: number
}

/** Path of a tile below the log's prefix: `tile/0/x001/x234/067`, or with `.p/W` for a partial one. @throws RangeError */
export function tilePath({ level, index, width }: TileId): string {
  if (!Number.isSafeInteger(level) || level < 0 || level > MAX_LEVEL)
    throw new RangeError('no such tile level')
  return `tile/${level}/${indexPath(index)}${widthPath(width)}`
}

/** Path of an entry bundle below the log's prefix: `tile/entries/x001/x234/067`, or with `.p/W`. @throws RangeError */
export function bundlePath({ index, width }: BundleId): string {
  return `tile/entries/${indexPath(index)}${widthPath(width)}`
}

/** The tile that a path names, or null for any other text: each tile has one spelling. */
export function parseTilePath(path: string): TileId | null {
  const [, level, rest] = /^tile\/(0|[1-9]\d?)\/(.+)$/s.exec(path) ?? []
  const bundle = rest === undefined ? null : parseRest(rest)
  if (!bundle || Number(level) > MAX_LEVEL) return null
  return { level: Number(level), ...bundle }
}

/** The entry bundle that a path names, or null for any other text. */
export function parseBundlePath(path: string): BundleId | null {
  const [, rest] = /^tile\/entries\/(.+)$/s.exec(path) ?? []
  return rest === undefined ? null : parseRest(rest)
}

/** Groups of three digits, all but the last marked, so that no path is a folder of another tile. */
function indexPath(index: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError('no such tile index')
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
}

function widthPath(width: number): string {
  if (!Number.isSafeInteger(width) || width < 1 || width > TILE_WIDTH)
    throw new RangeError('no such tile width')
  return width === TILE_WIDTH ? '' : `.p/${width}`
}

function parseRest(rest: string): BundleId | null {
  const [, groups, partial] = /^((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(rest) ?? []
  if (groups === undefined) return null
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const width = partial === undefined ? TILE_WIDTH : Number(partial)
  // A full tile is never spelled as a partial one, and x000/001 is no spelling of 001.
  if (!Number.isSafeInteger(index) || (partial !== undefined && width >= TILE_WIDTH)) return null
  return indexPath(index) === groups ? { index, width } : null
}
