// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { toHex } from '#core/bytes/encoding.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { verifyConsistency, verifyInclusion } from '#core/log/proof.ts'
import { tilesBetween } from '#core/log/tile/extent.ts'
import { edgeOf, EMPTY_EDGE, grow, rootOf, type Edge } from '#core/log/tile/grow.ts'
import { parseTilePath, tilePath, type Tile } from '#core/log/tile/path.ts'
import type { ReadTile } from '#core/log/tile/read-tile.ts'
import { consistencyFromTiles, inclusionFromTiles } from '#core/log/tile/read.ts'
import { at, denseLeaves, publishedTiles, readerOf, sparseReader, vectors } from './tree.ts'
import { CT_LEAVES } from '../ct-leaves.ts'

const leaves = denseLeaves(70_000)
const readTile = readerOf(leaves)
const text = (edge: Edge) => ({ size: edge.size, levels: edge.levels.map(toHex) })
const sums = (tiles: readonly Tile[]) =>
  tiles.map(({ id, bytes }) => ({ path: tilePath(id), sha256: toHex(sha256(bytes)) }))

/** Ascending sizes, the first growth from 0 to the first of them. */
const splits = fc
  .tuple(fc.integer({ min: 1, max: 1100 }), fc.array(fc.nat(1100), { maxLength: 6 }))
  .map(([size, cuts]) => [...cuts.filter((cut) => cut <= size), size].toSorted((a, b) => a - b))

describe('a growing tree', () => {
  it('writes the tiles of golang.org/x/mod/sumdb/tlog at every step, its roots, and the edge that tiles give', async () => {
    let edge = EMPTY_EDGE
    for (const { to, tiles } of vectors.steps) {
      const grown = grow(edge, leaves.slice(edge.size, to))
      edge = grown.edge
      expect(sums(grown.tiles)).toEqual(tiles)
      expect(toHex(rootOf(edge))).toBe(vectors.dense.roots.find(({ size }) => size === to)?.root)
      expect(text(await edgeOf(to, readTile))).toEqual(text(edge))
    }
    expect(edge.size).toBe(70_000)
    expect(await edgeOf(0, readTile)).toEqual(EMPTY_EDGE)
  })

  it('has the root of the empty string without leaves', () => {
    expect(toHex(rootOf(EMPTY_EDGE))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(grow(EMPTY_EDGE, [])).toEqual({ edge: EMPTY_EDGE, tiles: [] })
  })

  it('has the roots of the Certificate Transparency test leaves', () => {
    const { edge } = grow(EMPTY_EDGE, CT_LEAVES.map(leafHash))
    expect(toHex(rootOf(edge))).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
    const seven = grow(EMPTY_EDGE, CT_LEAVES.slice(0, 7).map(leafHash)).edge
    expect(toHex(rootOf(seven))).toBe('ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c')
  })

  it('has the same tiles, edge and root in whatever batches it grew', () => {
    const whole = grow(EMPTY_EDGE, leaves.slice(0, 1100)).tiles
    fc.assert(
      fc.property(splits, (sizes) => {
        const size = at(sizes, sizes.length - 1)
        const { files, edge } = publishedTiles(leaves, sizes)
        const once = grow(EMPTY_EDGE, leaves.slice(0, size))
        expect(text(edge)).toEqual(text(once.edge))
        expect(toHex(rootOf(edge))).toBe(toHex(merkleRoot(leaves.slice(0, size))))
        for (const { id, bytes } of once.tiles) expect(files.get(tilePath(id))).toEqual(bytes)
        // Every tile that was ever written is the beginning of one of a larger tree.
        for (const [path, bytes] of files) {
          const id = parseTilePath(path)
          const wide = whole.find((tile) => tile.id.level === id?.level && tile.id.index === id.index)
          expect(toHex(bytes)).toBe(toHex(wide?.bytes.subarray(0, bytes.length) ?? new Uint8Array(0)))
        }
      }),
      { numRuns: 12 },
    )
  })

  it('writes exactly what the new size needs beyond the old one', () => {
    fc.assert(
      fc.property(splits, (sizes) => {
        let edge = EMPTY_EDGE
        for (const size of sizes) {
          const { tiles, edge: next } = grow(edge, leaves.slice(edge.size, size))
          expect(tiles.map(({ id }) => id)).toEqual([...tilesBetween(edge.size, size)])
          expect(tiles.every(({ id, bytes }) => bytes.length === id.width * 32)).toBe(true)
          edge = next
        }
      }),
      { numRuns: 12 },
    )
  })

  it('never changes an edge in place', () => {
    const { edge } = grow(EMPTY_EDGE, leaves.slice(0, 300))
    const before = text(edge)
    const { tiles } = grow(edge, leaves.slice(300, 900))
    for (const { bytes } of tiles) bytes.fill(0)
    expect(text(edge)).toEqual(before)
  })

  it('reads one tile per level at most for its edge, and no empty one', async () => {
    const asked: string[] = []
    await edgeOf(65_792, (id) => {
      asked.push(tilePath(id))
      return readTile(id)
    })
    expect(asked).toEqual(['tile/1/001.p/1', 'tile/2/000.p/1'])
  })

  it.each([2 ** 40 + 5, 2 ** 52, 2 ** 52 + 70_000, 2 ** 53 - 1001])(
    'goes on growing at %d leaves, with proofs to show for it',
    async (size) => {
      const old = sparseReader(size - 2)
      const before = await edgeOf(size, old)
      const more = leaves.slice(0, 1000)
      const { edge, tiles } = grow(before, more)
      expect(tiles.map(({ id }) => id)).toEqual([...tilesBetween(size, size + 1000)])
      const written = new Map(tiles.map(({ id, bytes }) => [tilePath(id), bytes]))
      const both: ReadTile = (id) => Promise.resolve(written.get(tilePath(id)) ?? old(id))
      const root = rootOf(edge)
      for (const added of [0, 1, 500, 999]) {
        const index = size + added
        const proof = await inclusionFromTiles(index, edge.size, both)
        const leaf = at(more, added)
        expect(verifyInclusion({ leaf, index, size: edge.size, proof, root })).toBe(true)
        expect(verifyInclusion({ leaf, index: index - 1, size: edge.size, proof, root })).toBe(false)
      }
      const proof = await consistencyFromTiles(size, edge.size, both)
      const claim = { size1: size, root1: rootOf(before), size2: edge.size, root2: root, proof }
      expect(verifyConsistency(claim)).toBe(true)
      expect(verifyConsistency({ ...claim, root1: root })).toBe(false)
    },
  )

  it('does not grow past 2^53-1 leaves or by what is no hash', async () => {
    const full = await edgeOf(2 ** 53 - 1, sparseReader(0))
    expect(() => grow(full, [at(leaves, 0)])).toThrow(RangeError)
    expect(() => grow(EMPTY_EDGE, [new Uint8Array(31)])).toThrow(RangeError)
    await expect(edgeOf(2 ** 53, sparseReader(0))).rejects.toThrow(RangeError)
  })

  it('refuses an edge of tiles that have the wrong length', async () => {
    await expect(edgeOf(300, () => Promise.resolve(new Uint8Array(32)))).rejects.toMatchObject({
      code: 'LOG_MALFORMED',
      message: 'tile/0/001.p/44 has not 44 hashes',
    })
  })
})
