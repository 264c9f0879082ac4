// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { toHex, utf8 } from '#core/bytes/encoding.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from '#core/log/proof.ts'
import { tilePath } from '#core/log/tile/path.ts'
import type { ReadTile } from '#core/log/tile/read-tile.ts'
import {
  consistencyFromTiles,
  inclusionFromTiles,
  inclusionsFromTiles,
  rootFromTiles,
} from '#core/log/tile/read.ts'
import { at, denseLeaves, readerOf, sparseReader, vectors, type TreeVectors } from './tree.ts'
import { CT_LEAVES } from '../ct-leaves.ts'

const leaves = denseLeaves(70_000)
const readTile = readerOf(leaves)
const trees: readonly (readonly [string, TreeVectors, ReadTile])[] = [
  ['of up to 70000 leaves', vectors.dense, readTile],
  ...vectors.sparse.map(
    (tree) =>
      [
        `of up to ${at(tree.roots, tree.roots.length - 1).size} leaves`,
        tree,
        sparseReader(tree.special),
      ] as const,
  ),
]
const place = fc.integer({ min: 1, max: 1000 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    index: fc.nat(size - 1),
    smaller: fc.integer({ min: 1, max: size }),
  }),
)

/** Reads as another does and notes what was asked for, in which turn of the loop. */
function noting(reader: ReadTile): { readonly asked: string[]; readonly read: ReadTile } {
  const asked: string[] = []
  return { asked, read: (id) => (asked.push(tilePath(id)), reader(id)) }
}

describe.each(trees)('tiles of trees %s', (_, tree, reader) => {
  it('give the roots of golang.org/x/mod/sumdb/tlog', async () => {
    for (const { size, root } of tree.roots) expect(toHex(await rootFromTiles(size, reader))).toBe(root)
  })

  it('give its inclusion proofs', async () => {
    for (const { index, size, proof } of tree.inclusion)
      expect((await inclusionFromTiles(index, size, reader)).map(toHex)).toEqual(proof)
    expect(tree.inclusion.length).toBeGreaterThan(10)
  })

  it('give its consistency proofs', async () => {
    for (const { size1, size2, proof } of tree.consistency)
      expect((await consistencyFromTiles(size1, size2, reader)).map(toHex)).toEqual(proof)
    expect(tree.consistency.length).toBeGreaterThan(9)
  })
})

describe('roots and proofs from tiles', () => {
  it('are those that the leaves themselves give, in trees of any size', async () => {
    await fc.assert(
      fc.asyncProperty(place, async ({ size, index, smaller }) => {
        const all = leaves.slice(0, size)
        expect(await rootFromTiles(size, readTile)).toEqual(merkleRoot(all))
        expect((await inclusionFromTiles(index, size, readTile)).map(toHex)).toEqual(
          inclusionProof(all, index).map(toHex),
        )
        expect((await consistencyFromTiles(smaller, size, readTile)).map(toHex)).toEqual(
          consistencyProof(all, smaller).map(toHex),
        )
      }),
      { numRuns: 30 },
    )
  })

  it.each([255, 256, 257, 65_535, 65_536, 65_537, 70_000])(
    'verify for leaves and smaller trees drawn at random from %d',
    async (size) => {
      const root = await rootFromTiles(size, readTile)
      await fc.assert(
        fc.asyncProperty(fc.nat(size - 1), fc.integer({ min: 1, max: size }), async (index, size1) => {
          const proof = await inclusionFromTiles(index, size, readTile)
          const leaf = at(leaves, index)
          expect(verifyInclusion({ leaf, index, size, proof, root })).toBe(true)
          const root1 = await rootFromTiles(size1, readTile)
          const path = await consistencyFromTiles(size1, size, readTile)
          expect(verifyConsistency({ size1, root1, size2: size, root2: root, proof: path })).toBe(true)
        }),
        { numRuns: 8 },
      )
    },
  )

  it('verify at 2^53-1 leaves, wherever the leaf is', async () => {
    const [size, special] = [2 ** 53 - 1, 2 ** 52 + 12_345]
    const reader = sparseReader(special)
    const root = await rootFromTiles(size, reader)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: size - 1 }), async (index) => {
        const proof = await inclusionFromTiles(index, size, reader)
        const leaf = leafHash(utf8(index === special ? 'special' : 'sparse'))
        expect(verifyInclusion({ leaf, index, size, proof, root })).toBe(true)
      }),
      { numRuns: 8 },
    )
    const proof = await inclusionFromTiles(special, size, reader)
    expect(verifyInclusion({ leaf: leafHash(utf8('special')), index: special, size, proof, root })).toBe(true)
    expect(verifyInclusion({ leaf: leafHash(utf8('sparse')), index: special, size, proof, root })).toBe(false)
  })

  it('are the published proofs of the Certificate Transparency leaves', async () => {
    const reader = readerOf(CT_LEAVES.map(leafHash))
    const [inclusion, consistency] = [publishedCases('inclusion'), publishedCases('consistency')]
    for (const { leafIdx = 0, treeSize = 0, proof } of inclusion)
      expect(base64(await inclusionFromTiles(leafIdx, treeSize, reader))).toEqual(proof ?? [])
    for (const { size1 = 0, size2 = 0, proof } of consistency)
      expect(base64(await consistencyFromTiles(size1, size2, reader))).toEqual(proof ?? [])
    expect([inclusion.length, consistency.length]).toEqual([6, 6])
    expect((await inclusionFromTiles(5, 8, reader)).map(toHex)).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
  })

  it('are the same for many leaves at once as for each alone', async () => {
    const indexes = [69_999, 0, 255, 256, 65_536, 0, 69_000]
    const alone = await Promise.all(indexes.map((index) => inclusionFromTiles(index, 70_000, readTile)))
    expect(await inclusionsFromTiles(indexes, 70_000, readTile)).toEqual(alone)
    expect(await inclusionsFromTiles([], 70_000, readTile)).toEqual([])
  })

  it('read each tile once, and all of them together', async () => {
    const { asked, read } = noting(readTile)
    const reading = inclusionFromTiles(300, 70_000, read)
    const wanted = ['tile/0/001', 'tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17']
    expect(asked.toSorted()).toEqual(wanted)
    await reading
    expect(asked.toSorted()).toEqual(wanted)
    asked.length = 0
    await inclusionsFromTiles([300, 301, 511], 70_000, read)
    expect(asked.toSorted()).toEqual(wanted)
  })

  it('need at most 14 tiles in the largest tree', async () => {
    const { asked, read } = noting(sparseReader(0))
    await inclusionFromTiles(12_345_678_901, 2 ** 53 - 1, read)
    expect(asked.length).toBeLessThanOrEqual(14)
    asked.length = 0
    await consistencyFromTiles(2 ** 52 + 12_345, 2 ** 53 - 1, read)
    expect(asked.length).toBeLessThanOrEqual(14)
  })

  it('are refused for a leaf or a tree that is not there', async () => {
    for (const [index, size] of [
      [0, 0],
      [5, 5],
      [-1, 5],
      [0.5, 5],
      [0, 2 ** 53],
      [0, -1],
    ] as const)
      await expect(inclusionFromTiles(index, size, readTile)).rejects.toThrow(RangeError)
    for (const [size1, size2] of [
      [0, 5],
      [6, 5],
      [1, 0],
      [1, 2 ** 53],
    ] as const)
      await expect(consistencyFromTiles(size1, size2, readTile)).rejects.toThrow(RangeError)
    await expect(rootFromTiles(-1, readTile)).rejects.toThrow(RangeError)
    expect(await rootFromTiles(0, readTile)).toEqual(merkleRoot([]))
  })

  it('are refused when a tile has the wrong length', async () => {
    const short: ReadTile = async (id) => (await readTile(id)).slice(32)
    await expect(inclusionFromTiles(3, 300, short)).rejects.toMatchObject({ code: 'LOG_MALFORMED' })
    await expect(rootFromTiles(300, short)).rejects.toMatchObject({ code: 'LOG_MALFORMED' })
  })
})

interface PublishedCase {
  readonly wantErr: boolean
  readonly leafIdx?: number
  readonly treeSize?: number
  readonly size1?: number
  readonly size2?: number
  readonly proof: readonly string[] | null
}

/** The proofs of transparency-dev/merkle that hold, of the trees that have these leaves. */
function publishedCases(kind: 'inclusion' | 'consistency'): PublishedCase[] {
  const lines = readFileSync(new URL(`../../../vectors/merkle/${kind}.jsonl`, import.meta.url), 'utf8')
  const cases = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PublishedCase)
  return cases.filter(({ wantErr, size1 }) => !wantErr && size1 !== 0)
}

function base64(hashes: readonly Uint8Array[]): string[] {
  return hashes.map((hash) => Buffer.from(hash).toString('base64'))
}
