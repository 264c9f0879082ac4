// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { verifyInclusion } from '#core/log/proof.ts'
import { rootOf } from '#core/log/tile/grow.ts'
import { tileReader, type FetchPath } from '#core/log/tile/read-tile.ts'
import { inclusionFromTiles, rootFromTiles } from '#core/log/tile/read.ts'
import { at, denseLeaves, publishedTiles, serving } from './tree.ts'

const leaves = denseLeaves(1100)

/** Serves as another does and notes the paths that were asked for. */
function noting(fetch: FetchPath): { readonly asked: string[]; readonly fetch: FetchPath } {
  const asked: string[] = []
  return { asked, fetch: (path) => (asked.push(path), fetch(path)) }
}

describe('a tile reader', () => {
  it('gives the tiles of a size that was published, for roots and proofs', async () => {
    const { files, edge } = publishedTiles(leaves, [300, 1100])
    const readTile = tileReader(serving(files), 1100)
    const proof = await inclusionFromTiles(299, 1100, readTile)
    const root = rootOf(edge)
    expect(await rootFromTiles(1100, readTile)).toEqual(root)
    expect(verifyInclusion({ leaf: at(leaves, 299), index: 299, size: 1100, proof, root })).toBe(true)
  })

  it('takes the beginning of the full tile when the partial one is gone', async () => {
    const { files } = publishedTiles(leaves, [300, 1024])
    const before = await rootFromTiles(300, tileReader(serving(files), 300))
    expect(files.delete('tile/0/001.p/44')).toBe(true)
    const { asked, fetch } = noting(serving(files))
    expect(await rootFromTiles(300, tileReader(fetch, 300))).toEqual(before)
    expect(asked.filter((path) => path.includes('/0/'))).toEqual(['tile/0/001.p/44', 'tile/0/001'])
  })

  it('fetches a tile at the width that it has in the tree, whatever width is asked for', async () => {
    const { files } = publishedTiles(leaves, [1100])
    const { asked, fetch } = noting(serving(files))
    const readTile = tileReader(fetch, 1100)
    const wide = await readTile({ level: 0, index: 4, width: 76 })
    const narrow = await readTile({ level: 0, index: 4, width: 3 })
    expect(asked).toEqual(['tile/0/004.p/76'])
    expect([wide.length, narrow.length]).toEqual([76 * 32, 96])
    expect(narrow).toEqual(wide.subarray(0, 96))
  })

  it('fetches a tile once for all who ask at the same time', async () => {
    const { files } = publishedTiles(leaves, [1100])
    const { asked, fetch } = noting(serving(files))
    const readTile = tileReader(fetch, 1100)
    await Promise.all([1, 2, 3, 700].map((index) => inclusionFromTiles(index, 1100, readTile)))
    expect(new Set(asked).size).toBe(asked.length)
  })

  it('forgets the tile that was used least recently when it may keep no more', async () => {
    const { files } = publishedTiles(leaves, [1100])
    const { asked, fetch } = noting(serving(files))
    const readTile = tileReader(fetch, 1100, 2)
    for (const index of [0, 1, 0, 2, 0, 1]) await readTile({ level: 0, index, width: 256 })
    expect(asked).toEqual(['tile/0/000', 'tile/0/001', 'tile/0/002', 'tile/0/001'])
  })

  it('keeps nothing when it may keep nothing', async () => {
    const { files } = publishedTiles(leaves, [1100])
    const { asked, fetch } = noting(serving(files))
    const readTile = tileReader(fetch, 1100, 0)
    for (let i = 0; i < 2; i++) expect((await readTile({ level: 0, index: 0, width: 256 })).length).toBe(8192)
    expect(asked.length).toBe(2)
  })

  it('says which tile the log does not have, and asks again the next time', async () => {
    const { files } = publishedTiles(leaves, [1100])
    const tile = files.get('tile/0/002') ?? new Uint8Array(0)
    files.delete('tile/0/002')
    const readTile = tileReader(serving(files), 1100)
    const id = { level: 0, index: 2, width: 256 }
    await expect(readTile(id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'the log has no tile/0/002',
    })
    files.set('tile/0/002', tile)
    expect(await readTile(id)).toEqual(tile)
  })

  it.each([
    ['one byte short', (tile: Uint8Array) => tile.slice(1)],
    ['one hash short', (tile: Uint8Array) => tile.slice(32)],
    ['one hash too long', (tile: Uint8Array) => new Uint8Array([...tile, ...tile.slice(0, 32)])],
    ['empty', () => new Uint8Array(0)],
  ])('refuses a tile that is %s', async (_, spoil) => {
    for (const path of ['tile/0/000', 'tile/0/004.p/76']) {
      const { files } = publishedTiles(leaves, [1100])
      files.set(path, spoil(files.get(path) ?? new Uint8Array(0)))
      const readTile = tileReader(serving(files), 1100)
      const id = path === 'tile/0/000' ? { index: 0, width: 256 } : { index: 4, width: 76 }
      await expect(readTile({ level: 0, ...id })).rejects.toMatchObject({ code: 'LOG_MALFORMED' })
    }
  })

  it('refuses a full tile of the wrong length in place of a partial one, even of the length asked for', async () => {
    const { files } = publishedTiles(leaves, [300, 1024])
    const partial = files.get('tile/0/001.p/44') ?? new Uint8Array(0)
    files.delete('tile/0/001.p/44')
    files.set('tile/0/001', partial)
    const readTile = tileReader(serving(files), 300)
    await expect(readTile({ level: 0, index: 1, width: 44 })).rejects.toMatchObject({
      code: 'LOG_MALFORMED',
      message: 'tile/0/001.p/44 has not 44 hashes',
    })
  })

  it('asks for no tile outside the tree', async () => {
    const { asked, fetch } = noting(() => Promise.resolve(new Uint8Array(8192)))
    const readTile = tileReader(fetch, 1100)
    for (const id of [
      { level: 0, index: 4, width: 77 },
      { level: 0, index: 5, width: 1 },
      { level: 1, index: 0, width: 5 },
      { level: 2, index: 0, width: 1 },
      { level: 0, index: 0, width: 0 },
      { level: 0, index: 0, width: Number.NaN },
      { level: -1, index: 0, width: 1 },
      { level: 0, index: 0.5, width: 1 },
    ])
      await expect(readTile(id)).rejects.toThrow(RangeError)
    expect(asked).toEqual([])
  })

  it('passes on why a fetch failed and does not remember it', async () => {
    const { files } = publishedTiles(leaves, [1100])
    const failures = [new Error('the store does not answer')]
    const readTile = tileReader((path) => {
      const failure = failures.pop()
      return failure ? Promise.reject(failure) : serving(files)(path)
    }, 1100)
    const id = { level: 0, index: 0, width: 256 }
    await expect(readTile(id)).rejects.toThrow('the store does not answer')
    expect((await readTile(id)).length).toBe(8192)
  })
})
