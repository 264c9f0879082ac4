// SPDX-License-Identifier: Apache-2.0
import { merkleRoot, nodeHash, splitOf } from '../merkle.ts'
import { isTreeSize, tileWidth } from './extent.ts'
import { hashAt, subtreeSizes } from './hashes.ts'
import { TILE_WIDTH, tilePath, type Tile, type TileId } from './path.ts'
import { CACHED_TILES, readTiles, type ReadTile } from './read-tile.ts'

/** Leaves of a tree, of which a proof states the Merkle tree hash. */
interface Range {
  readonly start: number
  readonly count: number
}

/** The root of a complete subtree: of `count` (1..128) neighbouring hashes of one tile. */
interface Subtree {
  readonly tile: TileId
  readonly start: number
  readonly count: number
}

/** Root of the tree of `size` leaves, from its tiles. @throws RangeError, or what the reader throws */
export async function rootFromTiles(size: number, readTile: ReadTile): Promise<Uint8Array> {
  checkSize(size)
  if (size === 0) return merkleRoot([])
  const [root] = await rootsOf([{ start: 0, count: size }], size, readTile)
  return root ?? merkleRoot([])
}

/**
 * Inclusion proof of the leaf at `index` in the tree of `size` leaves, RFC 9162 section 2.1.3.1, for `verifyInclusion`.
 * Every tile it needs, 14 at most, is read once, and all together.
 * @throws RangeError for an index outside the tree, or what the reader throws
 */
export async function inclusionFromTiles(
  index: number,
  size: number,
  readTile: ReadTile,
): Promise<Uint8Array[]> {
  return (await inclusionsFromTiles([index], size, readTile)).flat()
}

/**
 * Inclusion proofs of several leaves, in their order. Tiles are read, all together, and subtrees hashed once for all of
 * them: for the thousand leaves of one batch a fiftieth of the time that single proofs take.
 * @throws RangeError for an index outside the tree, or what the reader throws
 */
export async function inclusionsFromTiles(
  indexes: readonly number[],
  size: number,
  readTile: ReadTile,
): Promise<Uint8Array[][]> {
  checkSize(size)
  for (const index of indexes) checkIndex(index, size)
  const ranges = indexes.map((index) => siblings(index, { start: 0, count: size }).toReversed())
  const hashes = await rootsOf(ranges.flat(), size, readTile)
  let end = 0
  return ranges.map(({ length }) => hashes.slice(end, (end += length)))
}

/** The inclusion proof of the leaf at an index. */
export type ProveInclusion = (index: number) => Promise<Uint8Array[]>

/**
 * Makes inclusion proofs in one tree, each when it is asked for. Subtrees that were hashed are remembered, as many as 64
 * tiles have: who waits for one tree with many others mostly asks for a neighbour.
 * @throws RangeError for an index outside the tree, or what the reader throws
 */
export function inclusionProver(size: number, readTile: ReadTile): ProveInclusion {
  checkSize(size)
  const known: KnownRoots = new Map()
  return async (index) => {
    checkIndex(index, size)
    if (known.size > MAX_KNOWN_ROOTS) known.clear()
    return rootsOf(siblings(index, { start: 0, count: size }).toReversed(), size, readTile, known)
  }
}

/** Roots of subtrees by tile, start and count. */
type KnownRoots = Map<string, Uint8Array>
const MAX_KNOWN_ROOTS = CACHED_TILES * TILE_WIDTH

/**
 * Consistency proof from the first `size1` leaves to `size2`, RFC 9162 section 2.1.4.1, for `verifyConsistency`.
 * Every tile it needs is read once, and all together.
 * @throws RangeError unless 1 <= size1 <= size2, or what the reader throws
 */
export async function consistencyFromTiles(
  size1: number,
  size2: number,
  readTile: ReadTile,
): Promise<Uint8Array[]> {
  checkSize(size2)
  if (!Number.isSafeInteger(size1) || size1 < 1 || size1 > size2) throw new RangeError('no such smaller tree')
  return rootsOf(consistencyRanges(size1, size2), size2, readTile)
}

/** What is beside the path to a leaf, from the root downwards. */
function siblings(index: number, tree: Range): Range[] {
  const found: Range[] = []
  let { start, count } = tree
  while (count > 1) {
    const split = splitOf(count)
    const right = { start: start + split, count: count - split }
    if (index < right.start) {
      found.push(right)
      count = split
    } else {
      found.push({ start, count: split })
      ;({ start, count } = right)
    }
  }
  return found
}

/** PROOF(size1, size2): the path to where the smaller tree ends, and what stands there unless it is the smaller tree. */
function consistencyRanges(size1: number, size2: number): Range[] {
  const found: Range[] = []
  let [start, count] = [0, size2]
  while (start + count > size1) {
    const split = splitOf(count)
    const right = { start: start + split, count: count - split }
    if (size1 <= right.start) {
      found.push(right)
      count = split
    } else {
      found.push({ start, count: split })
      ;({ start, count } = right)
    }
  }
  // From 0 it is the smaller tree itself, whose root the verifier knows.
  if (start > 0) found.push({ start, count })
  return found.toReversed()
}

async function rootsOf(
  ranges: readonly Range[],
  size: number,
  readTile: ReadTile,
  known: KnownRoots = new Map(),
): Promise<Uint8Array[]> {
  const subtrees = ranges.map((range) => subtreesOf(range, size))
  const wanted = new Map(subtrees.flat().map(({ tile }) => [tilePath(tile), tile]))
  const rootOf = subtreeHasher(await readTiles([...wanted.values()], readTile), known)
  return subtrees.map((parts) => parts.map(rootOf).reduceRight((right, left) => nodeHash(left, right)))
}

/** Hashes subtrees of these tiles, each once: neighbouring leaves share most of their proofs. */
function subtreeHasher(tiles: readonly Tile[], known: KnownRoots): (subtree: Subtree) => Uint8Array {
  const bytesOf = new Map(tiles.map(({ id, bytes }) => [tilePath(id), bytes]))
  const rootOf = (path: string, start: number, count: number): Uint8Array => {
    if (count === 1) return hashAt(bytesOf.get(path) ?? new Uint8Array(0), start)
    const name = `${path} ${start} ${count}`
    const half = count / 2
    const root = known.get(name) ?? nodeHash(rootOf(path, start, half), rootOf(path, start + half, half))
    known.set(name, root)
    return root
  }
  return ({ tile, start, count }) => rootOf(tilePath(tile), start, count)
}

/** The complete subtrees of a range, left to right. A range of a proof begins at a multiple of its largest one. */
function subtreesOf({ start, count }: Range, size: number): Subtree[] {
  let next = start
  return subtreeSizes(count).map((leaves) => {
    const subtree = subtreeAt(next, leaves, size)
    next += leaves
    return subtree
  })
}

/** As high in the tiles as it stands there, so that few hashes are computed. Division is exact: all are multiples. */
function subtreeAt(firstLeaf: number, leaves: number, size: number): Subtree {
  let [level, first, count] = [0, firstLeaf, leaves]
  for (; count >= TILE_WIDTH; level++) [first, count] = [first / TILE_WIDTH, count / TILE_WIDTH]
  const index = Math.floor(first / TILE_WIDTH)
  return {
    tile: { level, index, width: tileWidth(size, level, index) },
    start: first - index * TILE_WIDTH,
    count,
  }
}

function checkIndex(index: number, size: number): void {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError('no such leaf')
}

function checkSize(size: number): void {
  if (!isTreeSize(size)) throw new RangeError('no such tree size')
}
