// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { codeOf, isSameCode, parseCode, shownCode } from '#core/bytes/code.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('a code', () => {
  it('is the first 60 bits, in Crockford base32', () => {
    expect(codeOf(new Uint8Array(32))).toBe('000000000000')
    expect(codeOf(new Uint8Array(32).fill(255))).toBe('ZZZZZZZZZZZZ')
    expect(codeOf(Uint8Array.of(0x08, 0x86, 0x42, 0x98, 0xe8, 0x4a, 0x96, 0xcf))).toBe('123456789ABC')
  })

  it('depends on each of those bits, and on no other', () => {
    fc.assert(
      fc.property(hash, fc.nat({ max: 255 }), (bytes, bit) => {
        const other = Uint8Array.from(bytes)
        other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
        expect(codeOf(other) === codeOf(bytes)).toBe(bit >= 60)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('is read as it is shown, and as people type it', () => {
    fc.assert(
      fc.property(hash, (bytes) => {
        const code = codeOf(bytes)
        expect(parseCode(shownCode(code))).toBe(code)
        expect(parseCode(` ${code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l')} `)).toBe(code)
      }),
      { seed: 2 },
    )
    expect(shownCode('7K2M9XQ4RT0V')).toBe('7K2M-9XQ4-RT0V')
    for (const typed of [
      '',
      '7K2M-9XQ4-RT0',
      '7K2M-9XQ4-RT0VV',
      '7K2M-9XQ4-RT0U',
      '7K2M_9XQ4_RT0V',
      '7K2M-9XQ4-RT0Ä',
    ])
      expect([typed, parseCode(typed)]).toEqual([typed, null])
  })

  it('is the same only as a whole', () => {
    expect(isSameCode('7K2M9XQ4RT0V', '7K2M9XQ4RT0V')).toBe(true)
    for (const other of ['', '7K2M9XQ4RT0', '7K2M9XQ4RT0VV', '7K2M9XQ4RT0W', '8K2M9XQ4RT0V'])
      expect(isSameCode('7K2M9XQ4RT0V', other)).toBe(false)
  })
})
