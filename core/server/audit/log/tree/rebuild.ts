// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../../../bytes/frame.ts'
import { leafHash } from '../../../../log/merkle.ts'
import { encodeBundle } from '../../../../log/tile/bundle.ts'
import { partialTiles } from '../../../../log/tile/check.ts'
import { bundlesBetween } from '../../../../log/tile/extent.ts'
import { EMPTY_EDGE, grow, rootOf, type Edge } from '../../../../log/tile/grow.ts'
import { HASH_BYTES, hashAt } from '../../../../log/tile/hashes.ts'
import { bundlePath, TILE_WIDTH, tilePath, type BundleId, type Tile } from '../../../../log/tile/path.ts'
import type { FetchPath } from '../../../../log/tile/read-tile.ts'
import { compareAt, type Published } from './published.ts'
import type { LogNotes } from '../report.ts'
import { fetchBundle, isLeaf } from './stored-bundle.ts'

/** Bundles that are read at the same time, while those before them are hashed: 17 kB each, and a tile of 8 kB. */
const READ_AHEAD = 8

/** What is rebuilt, and what is asked of it on the way. */
export interface Rebuilding {
  readonly fetch: FetchPath
  readonly size: number
  /** Where to begin: the edge of a smaller tree, or nothing. */
  readonly start: Edge
  /** Bundles that are known to be wrong, and why that stays so: the hashes of their leaves are taken from the tile. */
  readonly bad: ReadonlyMap<number, string>
  readonly published: Published
  /** What cannot be read, whatever the root. */
  readonly notes: LogNotes
  /** What is not that of the leaves: counts once the root proves them. */
  readonly comparisons: LogNotes
  readonly same: Set<string>
  /** Asked after each bundle whether to stop there, to go on from the edge that is reached. */
  readonly pause: () => boolean
  /** Is shown the entries of each bundle that was read, in order. */
  readonly see: (first: number, entries: readonly Uint8Array[]) => void
}

/**
 * Builds the tree from its entry bundles, in memory that does not grow with it, and compares every stored tile and every
 * published partial one. No comparison counts unless the root is the signed one: then each leaf is proved.
 * @returns the edge, of a smaller tree where it paused, or null when neither a bundle nor its tile says what leaves there are
 */
export async function rebuild(at: Rebuilding): Promise<Edge | null> {
  if (at.start.size === at.size) return at.start
  const ids = [...bundlesBetween(at.start.size, at.size)]
  let edge = onBundle(at.start)
  const reading: Promise<Read>[] = []
  const readNext = (i: number) => {
    const id = ids[i]
    if (!id) return
    const read = readLeaves(at, id)
    // Awaited in its turn; until then a failure is nobody's.
    read.catch(() => {})
    reading.push(read)
  }
  for (let i = 0; i < READ_AHEAD; i++) readNext(i)
  for (const [i, id] of ids.entries()) {
    const read = await reading.shift()
    readNext(i + READ_AHEAD)
    const hashes = read && leavesOf(at, id, read)
    if (!read || !hashes) return null
    const first = id.index * TILE_WIDTH
    if (read.entries) at.see(first, read.entries)
    const grown = grow(edge, hashes)
    for (const tile of grown.tiles)
      if (tile.id.width === TILE_WIDTH) await compareTile(at, tile, tile.id.level === 0 ? read.tile : null)
    await compareStops(at, edge, { first, hashes, entries: read.entries }, grown.edge)
    ;({ edge } = grown)
    if (edge.size < at.size && at.pause()) break
  }
  return edge
}

/** The leaves of one bundle as stored, and the tile with their hashes. */
interface Read {
  readonly entries: readonly Uint8Array[] | null
  /** Undefined where it was not read: partial tiles are compared where sizes end. */
  readonly tile: Uint8Array | null | undefined
}

/** What one bundle adds to the tree. */
export interface Leaves {
  readonly first: number
  readonly hashes: readonly Uint8Array[]
  readonly entries: readonly Uint8Array[] | null
}

/** The edge without the leaves of the bundle at its right, which are read again. */
function onBundle({ size, levels }: Edge): Edge {
  if (size < TILE_WIDTH) return EMPTY_EDGE
  return { size: size - (size % TILE_WIDTH), levels: [new Uint8Array(0), ...levels.slice(1)] }
}

async function readLeaves(at: Rebuilding, id: BundleId): Promise<Read> {
  const isFull = id.width === TILE_WIDTH
  const [entries, tile] = await Promise.all([
    at.bad.has(id.index) ? null : fetchBundle(at.fetch, id, at.notes),
    isFull || at.bad.has(id.index) ? at.fetch(tilePath({ level: 0, ...id })) : undefined,
  ])
  if (entries) return { entries, tile }
  const why = at.bad.get(id.index)
  if (why !== undefined) await noteBad(at, bundlePath(id), why)
  return { entries: null, tile: tile === undefined ? await at.fetch(tilePath({ level: 0, ...id })) : tile }
}

async function noteBad({ fetch, comparisons }: Rebuilding, path: string, why: string): Promise<void> {
  const [status, what] = (await fetch(path))
    ? (['tampered', 'the bundle is not what the signed root covers'] as const)
    : (['missing', 'the bundle is not stored'] as const)
  comparisons.find('bundle', status, path, `${what}; ${why}`)
}

/** Hashes of the leaves; where there is no bundle, those of the tile, which the root will prove or not. */
function leavesOf({ comparisons }: Rebuilding, id: BundleId, { entries, tile }: Read): Uint8Array[] | null {
  if (!entries)
    return tile?.length === id.width * HASH_BYTES
      ? Array.from({ length: id.width }, (_, i) => hashAt(tile, i))
      : null
  for (const [i, entry] of entries.entries())
    if (!isLeaf(entry)) {
      const where = `leaf ${id.index * TILE_WIDTH + i}`
      comparisons.find('leaf-form', 'tampered', where, 'the entry is no leaf of this log')
    }
  return entries.map(leafHash)
}

async function compareTile(
  at: Pick<Rebuilding, 'fetch' | 'comparisons'>,
  { id, bytes }: Tile,
  read: Uint8Array | null | undefined,
): Promise<void> {
  const path = tilePath(id)
  const stored = id.level === 0 && read !== undefined ? read : await at.fetch(path)
  if (stored && equalBytes(stored, bytes)) return
  const detail = stored ? 'the tile is not that of its leaves' : 'the tile is not stored'
  at.comparisons.find('tile', stored ? 'tampered' : 'missing', path, detail, { kind: 'object', path, bytes })
}

/** Compares what is stored for each size within or right after a bundle that was published, or may have been. */
async function compareStops(at: Rebuilding, before: Edge, leaves: Leaves, after: Edge): Promise<void> {
  const { first, hashes } = leaves
  for (const { size, checkpoint, isCertain } of await at.published.within(first, first + hashes.length)) {
    if (size <= at.start.size && at.start.size > 0) continue
    const edge = size === after.size ? after : grow(before, hashes.slice(0, size - first)).edge
    if (checkpoint && !equalBytes(rootOf(edge), checkpoint.root))
      at.comparisons.find(
        'forked',
        'tampered',
        `checkpoints/witnessed/${String(size).padStart(16, '0')}`,
        'the log signed another root for this size than its leaves have',
      )
    await compareAt(at, partialTiles(edge), partialBundle(leaves, size), isCertain)
  }
}

/** The bundle of a size within these leaves; null where it would be a full one, or the main one, or nobody knows it. */
function partialBundle({ first, hashes, entries }: Leaves, size: number) {
  const width = size - first
  if (!entries || width === hashes.length) return null
  const id = { index: first / TILE_WIDTH, width }
  return { path: bundlePath(id), bytes: encodeBundle(entries.slice(0, width)) }
}
