// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { equalBytes } from '#core/bytes/frame.ts'
import { leafHash } from '#core/log/merkle.ts'
import { verifyInclusion } from '#core/log/proof.ts'
import { checkTile, TreeCheck, type TileFlaw } from '#core/log/tile/check.ts'
import { EMPTY_EDGE, grow, rootOf, type Edge } from '#core/log/tile/grow.ts'
import { parseTilePath, tilePath } from '#core/log/tile/path.ts'
import { tileReader, type FetchPath } from '#core/log/tile/read-tile.ts'
import { inclusionFromTiles, rootFromTiles } from '#core/log/tile/read.ts'
import { at, denseLeaves, publishedTiles, serving } from './tree.ts'

const SIZE = 600
const leaves = denseLeaves(1300)
const { files, edge } = publishedTiles(leaves, [SIZE])
const root = rootOf(edge)
const paths = [...files.keys()]

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = bytes.slice()
  const index = Math.floor(bit / 8)
  out[index] = (out[index] ?? 0) ^ (1 << (bit % 8))
  return out
}

/** The files of the log with one bit of one of them changed. */
function spoiled(path: string, bit: number): Map<string, Uint8Array> {
  const bytes = files.get(path) ?? new Uint8Array(0)
  return new Map(files).set(path, flipped(bytes, bit))
}

/** Checks a log from its leaves in batches of 100. */
async function checked(fetch: FetchPath, size: number, from: Edge = EMPTY_EDGE) {
  const check = new TreeCheck(fetch, size, from)
  const flaws: TileFlaw[] = []
  do {
    const end = Math.min(check.edge.size + 100, size)
    flaws.push(...(await check.add(leaves.slice(check.edge.size, end))))
  } while (check.edge.size < size)
  return {
    flaws: flaws.map(({ id, flaw }) => `${tilePath(id)} ${flaw}`),
    root: check.root(),
    edge: check.edge,
  }
}

describe('the check of a full tile against the hash above it', () => {
  it('holds for the tile as it was written', () => {
    const above = files.get('tile/1/000.p/2') ?? new Uint8Array(0)
    expect(checkTile(tile('tile/0/000'), above.subarray(0, 32))).toBe(true)
    expect(checkTile(tile('tile/0/001'), above.subarray(32))).toBe(true)
    expect(checkTile(tile('tile/0/000'), above.subarray(32))).toBe(false)
  })

  it('fails when one of its hashes changed, for a partial tile and for another hash above', () => {
    const above = tile('tile/1/000.p/2').subarray(0, 32)
    for (let hash = 3; hash < 256; hash += 4)
      expect(checkTile(flipped(tile('tile/0/000'), hash * 256 + hash), above)).toBe(false)
    for (let byte = 0; byte < 32; byte++)
      expect(checkTile(tile('tile/0/000'), flipped(above, byte * 8))).toBe(false)
    expect(checkTile(tile('tile/0/002.p/88'), above)).toBe(false)
    expect(checkTile(new Uint8Array(0), above)).toBe(false)
  })
})

describe('any changed bit of a tile', () => {
  it('is found by the check of the tree, which names that tile and no other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), async (path, any) => {
        const fetch = serving(spoiled(path, any % (tile(path).length * 8)))
        const found = await checked(fetch, SIZE)
        expect(found.flaws).toEqual([`${path} different`])
        expect(found.root).toEqual(root)
      }),
      { numRuns: 30 },
    )
  })

  it('changes the root or breaks the tile against the hash above it', async () => {
    for (const path of ['tile/0/002.p/88', 'tile/1/000.p/2']) {
      for (let hash = 0; hash < tile(path).length / 32; hash++) {
        const fetch = serving(spoiled(path, hash * 256 + ((hash * 37) % 256)))
        expect(equalBytes(await rootFromTiles(SIZE, tileReader(fetch, SIZE)), root)).toBe(false)
      }
    }
  })

  it('breaks every inclusion proof that is made of that bit, and no proof shows another leaf', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), fc.nat(SIZE - 1), async (path, any, index) => {
        const readTile = tileReader(serving(spoiled(path, any % (tile(path).length * 8))), SIZE)
        const honest = await inclusionFromTiles(index, SIZE, tileReader(serving(files), SIZE))
        const proof = await inclusionFromTiles(index, SIZE, readTile)
        const same = JSON.stringify(proof) === JSON.stringify(honest)
        const claim = { leaf: at(leaves, index), index, size: SIZE, proof, root }
        expect(verifyInclusion(claim)).toBe(same)
        expect(verifyInclusion({ ...claim, leaf: leafHash(Uint8Array.of(1)) })).toBe(false)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the check of a tree', () => {
  it('finds nothing wrong with what growing wrote, whatever the batches', async () => {
    for (const size of [0, 1, 255, 256, 257, 512, 600, 1300]) {
      const log = publishedTiles(leaves, [size])
      expect(await checked(serving(log.files), size)).toEqual({
        flaws: [],
        root: rootOf(log.edge),
        edge: log.edge,
      })
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(250), { maxLength: 8 }), async (batches) => {
        const check = new TreeCheck(serving(files), SIZE)
        for (const count of [...batches, SIZE]) {
          const end = Math.min(check.edge.size + count, SIZE)
          expect(await check.add(leaves.slice(check.edge.size, end))).toEqual([])
        }
        expect(check.root()).toEqual(root)
      }),
      { numRuns: 10 },
    )
  })

  it('names tiles that are missing or have the wrong length, and goes on', async () => {
    const damaged = new Map(files)
    damaged.delete('tile/0/000')
    damaged.delete('tile/0/002.p/88')
    damaged.set('tile/0/001', tile('tile/0/001').slice(1))
    damaged.set('tile/1/000.p/2', new Uint8Array(0))
    expect((await checked(serving(damaged), SIZE)).flaws).toEqual([
      'tile/0/000 missing',
      'tile/0/001 wrong-length',
      'tile/0/002.p/88 missing',
      'tile/1/000.p/2 wrong-length',
    ])
  })

  it('names two tiles that changed places', async () => {
    const [first, second] = [tile('tile/0/000'), tile('tile/0/001')]
    const swapped = new Map(files).set('tile/0/000', second).set('tile/0/001', first)
    expect((await checked(serving(swapped), SIZE)).flaws).toEqual([
      'tile/0/000 different',
      'tile/0/001 different',
    ])
  })

  it('gives another root for leaves that are not those of the log', async () => {
    const check = new TreeCheck(serving(files), SIZE)
    const others = leaves.slice(0, SIZE)
    others[17] = leafHash(Uint8Array.of(17))
    expect((await check.add(others)).map(({ id }) => tilePath(id))).toEqual(['tile/0/000', 'tile/1/000.p/2'])
    expect(check.root()).not.toEqual(root)
  })

  it('takes the full tile for a partial one that was deleted after the log grew', async () => {
    const grown = publishedTiles(leaves, [SIZE, 1300])
    grown.files.delete('tile/0/002.p/88')
    expect((await checked(serving(grown.files), SIZE)).flaws).toEqual([])
    grown.files.set('tile/0/002', flipped(grown.files.get('tile/0/002') ?? new Uint8Array(0), 0))
    expect((await checked(serving(grown.files), SIZE)).flaws).toEqual(['tile/0/002.p/88 different'])
  })

  it('goes on from the edge of an earlier check without reading what that one covered', async () => {
    const grown = publishedTiles(leaves, [SIZE, 1300])
    const first = await checked(serving(grown.files), SIZE)
    const asked: string[] = []
    const second = await checked((path) => (asked.push(path), serving(grown.files)(path)), 1300, first.edge)
    expect(second.flaws).toEqual([])
    expect(second.root).toEqual(rootOf(grown.edge))
    expect(asked.toSorted()).toEqual([
      'tile/0/002',
      'tile/0/003',
      'tile/0/004',
      'tile/0/005.p/20',
      'tile/1/000.p/5',
    ])
  })

  it('reads every tile once and holds no more than its edge', async () => {
    const log = publishedTiles(leaves, [1300])
    const asked: string[] = []
    const { edge: last } = await checked((path) => (asked.push(path), serving(log.files)(path)), 1300)
    expect(asked.toSorted()).toEqual([...log.files.keys()].toSorted())
    expect(last.levels.every((row) => row.buffer.byteLength < 256 * 32)).toBe(true)
    expect(asked.every((path) => parseTilePath(path) !== null)).toBe(true)
  })

  it('takes no more leaves than the tree has, and no edge beyond it', async () => {
    const check = new TreeCheck(serving(files), SIZE)
    await expect(check.add(leaves.slice(0, SIZE + 1))).rejects.toThrow(RangeError)
    expect(check.edge).toBe(EMPTY_EDGE)
    expect(() => new TreeCheck(serving(files), 3, grow(EMPTY_EDGE, leaves.slice(0, 4)).edge)).toThrow(
      RangeError,
    )
  })

  it('takes nothing when the store fails, so that the same leaves can come again', async () => {
    const failures = [new Error('the store does not answer')]
    const check = new TreeCheck((path) => {
      const failure = failures.pop()
      return failure ? Promise.reject(failure) : serving(files)(path)
    }, SIZE)
    await expect(check.add(leaves.slice(0, SIZE))).rejects.toThrow('the store does not answer')
    expect(await check.add(leaves.slice(0, SIZE))).toEqual([])
    expect(check.root()).toEqual(root)
  })
})

function tile(path: string): Uint8Array {
  return files.get(path) ?? new Uint8Array(0)
}
