// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { utf8 } from '#core/bytes/encoding.ts'
import { leafHash, nodeHash } from '#core/log/merkle.ts'
import { EMPTY_EDGE, grow } from '#core/log/tile/grow.ts'
import { tilePath, type TileId } from '#core/log/tile/path.ts'
import type { FetchPath, ReadTile } from '#core/log/tile/read-tile.ts'

/** What golang.org/x/mod/sumdb/tlog says; tests/vectors/tiles/generate/main.go writes it. */
export interface Vectors {
  readonly paths: readonly (TileId & { readonly path: string })[]
  readonly steps: readonly {
    readonly from: number
    readonly to: number
    readonly tiles: readonly { readonly path: string; readonly sha256: string }[]
  }[]
  readonly dense: TreeVectors
  readonly sparse: readonly (TreeVectors & { readonly special: number })[]
}
export interface TreeVectors {
  readonly roots: readonly { readonly size: number; readonly root: string }[]
  readonly inclusion: readonly { readonly index: number; readonly size: number; readonly proof: string[] }[]
  readonly consistency: readonly {
    readonly size1: number
    readonly size2: number
    readonly proof: string[]
  }[]
}
export const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/tiles/tiles.json', import.meta.url), 'utf8'),
) as Vectors

/** Leaf hashes of the log entries of the vectors: `entry 0`, `entry 1`, ... */
export function denseLeaves(size: number): Uint8Array[] {
  return Array.from({ length: size }, (_, i) => leafHash(utf8(`entry ${i}`)))
}

/** What a log serves that published a checkpoint at each of these sizes and deleted nothing. */
export function publishedTiles(leaves: readonly Uint8Array[], sizes: readonly number[]) {
  const files = new Map<string, Uint8Array>()
  let edge = EMPTY_EDGE
  for (const size of sizes) {
    const grown = grow(edge, leaves.slice(edge.size, size))
    for (const { id, bytes } of grown.tiles) files.set(tilePath(id), bytes)
    edge = grown.edge
  }
  return { files, edge }
}

/** Serves files; whoever reads them cannot see that they are in memory. */
export function serving(files: ReadonlyMap<string, Uint8Array>): FetchPath {
  return (path) => Promise.resolve(files.get(path) ?? null)
}

/** Reads tiles of any width of a tree, from the hashes of its levels. */
export function readerOf(leaves: readonly Uint8Array[]): ReadTile {
  const { edge, tiles } = grow(EMPTY_EDGE, leaves)
  const wide = new Map(tiles.map(({ id, bytes }) => [`${id.level} ${id.index}`, bytes]))
  return ({ level, index, width }) => {
    const bytes = wide.get(`${level} ${index}`)
    if (!bytes) throw new Error(`no tile ${level} ${index} in a tree of ${edge.size}`)
    return Promise.resolve(bytes.slice(0, width * 32))
  }
}

/** Hashes of a tree that has the entry `sparse` at every index but one, where it has `special`: of any size. */
export function sparseReader(special: number): ReadTile {
  const common = [leafHash(utf8('sparse'))]
  const onPath = [leafHash(utf8('special'))]
  for (let height = 0; height < 53; height++) {
    const [other, own] = [at(common, height), at(onPath, height)]
    common.push(nodeHash(other, other))
    const isRight = Math.floor(special / 2 ** height) % 2 === 1
    onPath.push(isRight ? nodeHash(other, own) : nodeHash(own, other))
  }
  return ({ level, index, width }) => {
    const tile = new Uint8Array(width * 32)
    const specialHash = Math.floor(special / 256 ** level)
    for (let i = 0; i < width; i++)
      tile.set(at(index * 256 + i === specialHash ? onPath : common, level * 8), i * 32)
    return Promise.resolve(tile)
  }
}

/** An element that is there. */
export function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}
