// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { bundlesBetween, tilesBetween } from '#core/log/tile/extent.ts'
import {
  bundlePath,
  parseBundlePath,
  parseTilePath,
  tilePath,
  type BundleId,
  type TileId,
} from '#core/log/tile/path.ts'
import { vectors } from './tree.ts'

const bundle = fc.record({ index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) })
const tile = fc.record({
  level: fc.integer({ min: 0, max: 63 }),
  index: fc.maxSafeNat(),
  width: fc.integer({ min: 1, max: 256 }),
})

/** Texts that stand for no tile, each for one reason. */
const NO_TILES: Readonly<Record<string, string>> = {
  'is empty': '',
  'begins with a slash': '/tile/0/000',
  'has a prefix': 'log/tile/0/000',
  'has a level with a leading zero': 'tile/00/000',
  'has a level over 63': 'tile/64/000',
  'has a negative level': 'tile/-1/000',
  'has no index': 'tile/0/',
  'has an index of two digits': 'tile/0/00',
  'has an index of four digits': 'tile/0/0000',
  'has a last group with a mark': 'tile/0/x000',
  'has a first group without a mark': 'tile/0/001/000',
  'has a first group of zeroes': 'tile/0/x000/001',
  'has a capital mark': 'tile/0/X001/000',
  'has an index over 2^53-1': 'tile/0/x009/x007/x199/x254/x740/992',
  'has an index that no number holds': `tile/0/${'x999/'.repeat(200)}999`,
  'is partial with no hashes': 'tile/0/000.p/0',
  'is partial with 256 hashes': 'tile/0/000.p/256',
  'is partial with a leading zero': 'tile/0/000.p/01',
  'is partial without a width': 'tile/0/000.p/',
  'is partial twice': 'tile/0/000.p/1.p/1',
  'ends with a slash': 'tile/0/000/',
  'ends with a line feed': 'tile/0/000\n',
  'has a query': 'tile/0/000?x=1',
  'has an encoded digit': 'tile/0/00%30',
  'has digits that are not ASCII': 'tile/0/00٣',
  'has a back slash': 'tile\\0\\000',
  climbs: 'tile/0/../000',
}

describe('paths of tiles', () => {
  it('are those that golang.org/x/mod/sumdb/tlog writes, and are read back', () => {
    const wrong = vectors.paths.filter(({ path, ...id }) => {
      return tilePath(id) !== path || JSON.stringify(parseTilePath(path)) !== JSON.stringify(id)
    })
    expect(wrong).toEqual([])
    expect(vectors.paths.length).toBeGreaterThan(300)
  })

  it('are as c2sp.org/tlog-tiles gives them', () => {
    expect(tilePath({ level: 0, index: 0, width: 256 })).toBe('tile/0/000')
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067')
    expect(tilePath({ level: 3, index: 1_234_067, width: 1 })).toBe('tile/3/x001/x234/067.p/1')
    expect(bundlePath({ index: 1_234_067, width: 255 })).toBe('tile/entries/x001/x234/067.p/255')
  })

  it('name one tile each, up to level 63 and index 2^53-1', () => {
    fc.assert(fc.property(tile, (id) => expect(parseTilePath(tilePath(id))).toEqual(id)))
    fc.assert(fc.property(bundle, (id) => expect(parseBundlePath(bundlePath(id))).toEqual(id)))
  })

  it('have one spelling: what is read is written again as it was', () => {
    const symbols = fc.constantFrom(
      'tile',
      'entries',
      '/',
      'x',
      '.p/',
      '0',
      '00',
      '000',
      '1',
      '001',
      '256',
      '63',
    )
    const text = fc.array(symbols, { maxLength: 12 }).map((parts) => parts.join(''))
    const likely = fc.tuple(fc.constantFrom('tile/0/', 'tile/63/', 'tile/entries/'), text)
    fc.assert(
      fc.property(likely, ([start, rest]) => {
        const path = start + rest
        const [id, entries] = [parseTilePath(path), parseBundlePath(path)]
        if (id) expect(tilePath(id)).toBe(path)
        if (entries) expect(bundlePath(entries)).toBe(path)
        expect(id !== null && entries !== null).toBe(false)
      }),
      { numRuns: 800 },
    )
  })

  it.each(Object.entries(NO_TILES))('are refused when the text %s', (_, path) => {
    expect(parseTilePath(path)).toBeNull()
    expect(parseBundlePath(path.replace('tile/0/', 'tile/entries/'))).toBeNull()
  })

  it('keep tiles and entry bundles apart', () => {
    expect(parseTilePath('tile/entries/000')).toBeNull()
    expect(parseBundlePath('tile/0/000')).toBeNull()
  })

  it('are not made of what is no tile', () => {
    const none: readonly TileId[] = [
      { level: 64, index: 0, width: 1 },
      { level: -1, index: 0, width: 1 },
      { level: 0.5, index: 0, width: 1 },
      { level: 0, index: 2 ** 53, width: 1 },
      { level: 0, index: -1, width: 1 },
      { level: 0, index: 0, width: 0 },
      { level: 0, index: 0, width: 257 },
      { level: 0, index: 0, width: Number.NaN },
    ]
    for (const id of none) expect(() => tilePath(id)).toThrow(RangeError)
    expect(() => bundlePath({ index: 0, width: 257 })).toThrow(RangeError)
  })
})

describe('the tiles of a tree', () => {
  it('of 70000 leaves are 273 and a partial one of 112, one and 17, and 1', () => {
    const tiles = [...tilesBetween(0, 70_000)]
    const of = (level: number) => tiles.filter((id) => id.level === level).map(({ width }) => width)
    expect(of(0)).toEqual([...Array.from({ length: 273 }, () => 256), 112])
    expect([of(1), of(2), of(3)]).toEqual([[256, 17], [1], []])
  })

  it('of 256 leaves are a full one and one above it, and of none are none', () => {
    expect([...tilesBetween(0, 256)].map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1'])
    expect([...tilesBetween(0, 0)]).toEqual([])
    expect([...tilesBetween(256, 256)]).toEqual([])
  })

  it('are those of golang.org/x/mod/sumdb/tlog at every step of growth', () => {
    for (const { from, to, tiles } of vectors.steps)
      expect([...tilesBetween(from, to)].map(tilePath)).toEqual(tiles.map(({ path }) => path))
  })

  it('are few at the right edge of a huge tree', () => {
    expect([...tilesBetween(2 ** 53 - 2, 2 ** 53 - 1)].map(tilePath)).toEqual([
      'tile/0/x035/x184/x372/x088/831.p/255',
    ])
    expect([...tilesBetween(2 ** 52 - 1, 2 ** 52)].map(({ level, width }) => [level, width])).toEqual([
      [0, 256],
      [1, 256],
      [2, 256],
      [3, 256],
      [4, 256],
      [5, 256],
      [6, 16],
    ])
  })

  it('have entry bundles beside the tiles of level 0', () => {
    const sizes = fc.tuple(fc.nat(3000), fc.nat(3000))
    fc.assert(
      fc.property(sizes, ([older, more]) => {
        const level0 = [...tilesBetween(older, older + more)].filter(({ level }) => level === 0)
        const asBundles: BundleId[] = level0.map(({ index, width }) => ({ index, width }))
        expect([...bundlesBetween(older, older + more)]).toEqual(asBundles)
      }),
    )
  })

  it('are not listed for a tree that shrinks or has no size', () => {
    for (const [older, newer] of [
      [2, 1],
      [-1, 1],
      [0, 2 ** 53],
      [0.5, 1],
    ] as const) {
      expect(() => [...tilesBetween(older, newer)]).toThrow(RangeError)
      expect(() => [...bundlesBetween(older, newer)]).toThrow(RangeError)
    }
  })
})
