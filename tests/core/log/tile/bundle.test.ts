// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { fromHex, toHex } from '#core/bytes/encoding.ts'
import { AmpereError } from '#core/errors.ts'
import { decodeBundle, encodeBundle, MAX_ENTRY_BYTES } from '#core/log/tile/bundle.ts'

const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 })

describe('entry bundles', () => {
  it('hold each entry after its length as two bytes, big endian', () => {
    const bytes = encodeBundle([fromHex('aabb'), new Uint8Array(0), fromHex('cc')])
    expect(toHex(bytes)).toBe('0002aabb00000001cc')
    expect(decodeBundle(bytes, 3).map(toHex)).toEqual(['aabb', '', 'cc'])
  })

  it('are read back whatever the entries are', () => {
    fc.assert(
      fc.property(entries, (list) => {
        expect(decodeBundle(encodeBundle(list), list.length).map(toHex)).toEqual(list.map(toHex))
      }),
      { numRuns: 30 },
    )
  })

  it('hold 256 entries and an entry of 65535 bytes', () => {
    const longest = new Uint8Array(MAX_ENTRY_BYTES).fill(7)
    const list = [longest, ...Array.from({ length: 255 }, (_, i) => Uint8Array.of(i))]
    const decoded = decodeBundle(encodeBundle(list), 256)
    expect(decoded[0]?.length).toBe(65_535)
    expect(decoded.length).toBe(256)
    expect(toHex(decoded[255] ?? new Uint8Array(0))).toBe('fe')
  })

  it('are read where they lie in a larger buffer', () => {
    const buffer = fromHex('ffff0001aaffff')
    expect(decodeBundle(buffer.subarray(2, 5), 1).map(toHex)).toEqual(['aa'])
  })

  it.each([
    ['fewer entries than expected', '0001aa', 2, 'entry bundle has 1 entries, expected 2'],
    ['more entries than expected', '0001aa0001bb', 1, 'entry bundle has 3 bytes after its last entry'],
    ['an entry that is cut short', '0003aabb', 1, 'entry 0 of a bundle is cut short'],
    ['half a length', '0001aa00', 2, 'entry bundle has 1 entries, expected 2'],
    ['one byte too many', '0001aa00', 1, 'entry bundle has 1 bytes after its last entry'],
    ['nothing', '', 1, 'entry bundle has 0 entries, expected 1'],
  ])('are refused with %s', (_, hex, width, message) => {
    expect(() => decodeBundle(fromHex(hex), width)).toThrow(new AmpereError('LOG_MALFORMED', message))
    expect(codeOf(() => decodeBundle(fromHex(hex), width))).toBe('LOG_MALFORMED')
  })

  it('are never read from another number of bytes than was written', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }), (list, cut, more) => {
        const bytes = encodeBundle(list)
        const shorter = bytes.subarray(0, cut % bytes.length)
        const longer = new Uint8Array([...bytes, ...more])
        expect(codeOf(() => decodeBundle(shorter, list.length))).toBe('LOG_MALFORMED')
        expect(codeOf(() => decodeBundle(longer, list.length))).toBe('LOG_MALFORMED')
      }),
      { numRuns: 30 },
    )
  })

  it('are not made of no entry, 257 entries or an entry of 65536 bytes', () => {
    expect(() => encodeBundle([])).toThrow(RangeError)
    expect(() => encodeBundle(Array.from({ length: 257 }, () => new Uint8Array(1)))).toThrow(RangeError)
    expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow(RangeError)
  })

  it('are not read as none or 257 entries', () => {
    expect(() => decodeBundle(new Uint8Array(0), 0)).toThrow(RangeError)
    expect(() => decodeBundle(new Uint8Array(514), 257)).toThrow(RangeError)
  })
})

function codeOf(act: () => unknown): string {
  try {
    act()
    return 'none'
  } catch (error) {
    return error instanceof AmpereError ? error.code : String(error)
  }
}
