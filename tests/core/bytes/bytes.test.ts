// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalize, parseCanonical } from '#core/bytes/canonical-json.ts'
import {
  fromBase64url,
  fromHex,
  fromUtf8,
  isBase64url,
  toBase64url,
  toHex,
  utf8,
} from '#core/bytes/encoding.ts'
import { frame } from '#core/bytes/frame.ts'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'

describe('base64url', () => {
  it('agrees with the platform for all bytes, and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64url(toBase64url(bytes))).toEqual(new Uint8Array(bytes))
        expect(fromHex(toHex(bytes))).toEqual(new Uint8Array(bytes))
      }),
    )
  })

  it.each(['A', 'AA=', 'AB', 'A+', 'A/', ' AA', 'AA\n', 'AAAA=', 'é', 'AAF'])(
    'refuses the spelling %j',
    (text) => {
      expect(() => fromBase64url(text)).toThrow(expect.objectContaining({ code: 'ENCODING_MALFORMED' }))
    },
  )

  it('knows what it would take without making the bytes', () => {
    const cut = fc.uint8Array({ maxLength: 150 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
    const texts = fc.tuple(cut, fc.string({ maxLength: 1 }), cut).map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts, (text) => {
        let isTaken = true
        try {
          fromBase64url(text)
        } catch {
          isTaken = false
        }
        expect(isBase64url(text)).toBe(isTaken)
      }),
      { numRuns: 1000 },
    )
  })

  it('gives each value one spelling: what is accepted encodes to itself', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        let bytes: Uint8Array
        try {
          bytes = fromBase64url(text)
        } catch {
          return
        }
        expect(toBase64url(bytes)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('canonical JSON', () => {
  it('sorts keys by UTF-16 code units, as RFC 8785 section 3.2.3 shows', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
    expect(Object.values(JSON.parse(canonicalize(value)) as object)).toBeDefined()
    expect(canonicalize(value)).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    )
  })

  it('is stable: parsing and writing again changes nothing', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.maxSafeNat(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
      ),
    })).value
    fc.assert(
      fc.property(json, (value) => {
        let text: string
        try {
          text = canonicalize(value)
        } catch {
          return
        }
        expect(canonicalize(parseCanonical(utf8(text)))).toBe(text)
      }),
    )
  })

  it('is the same for every order of the keys, and says nothing of what has no JSON form', () => {
    const backwards = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(backwards)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, item]) => [key, backwards(item)]),
      )
    }
    const key = fc.oneof(fc.string(), fc.constantFrom('10', '9', 'a', 'b', 'toJSON'))
    const value = fc.dictionary(key, fc.oneof(fc.nat(), fc.array(fc.dictionary(key, fc.string()))))
    fc.assert(
      fc.property(value, (object) => {
        expect(canonicalize(backwards(object))).toBe(canonicalize(object))
      }),
    )
    const hole: unknown[] = ['a']
    hole[2] = 'c'
    for (const wrong of [hole, [undefined], { a: undefined }, { toJSON: () => 1 }, { '\ud800': 1 }, '\ud800'])
      expect(() => canonicalize(wrong)).toThrow(expect.objectContaining({ code: 'JSON_MALFORMED' }))
  })

  it.each([
    '{"a":1,"a":2}',
    '{ "a":1}',
    '{"b":1,"a":2}',
    '1.5',
    '-1',
    '1e2',
    '9007199254740992',
    '"\\u0061"',
    '[1,]',
    '{}x',
    `${'['.repeat(20)}${']'.repeat(20)}`,
  ])('refuses %j', (text) => {
    expect(() => parseCanonical(utf8(text))).toThrow(expect.objectContaining({ code: 'JSON_MALFORMED' }))
  })
})

describe('frames, text and times', () => {
  it('give different bytes for different fields, however they are cut', () => {
    expect(toHex(frame('ab', 'c'))).not.toBe(toHex(frame('a', 'bc')))
    expect(toHex(frame('a', 1))).toBe(`0000000161000000080000000000000001`)
  })

  it('refuse bytes that are not UTF-8', () => {
    expect(() => fromUtf8(Uint8Array.of(0xc3, 0x28))).toThrow(
      expect.objectContaining({ code: 'ENCODING_MALFORMED' }),
    )
  })

  it.each([
    '2026-11-24',
    '2026-11-24T10:00:00Z',
    '2026-11-24T10:00:00.000+00:00',
    '2026-02-30T10:00:00.000Z',
    '2026-11-24T24:00:00.000Z',
  ])('refuse the time %j', (text) => {
    expect(() => timestampMs(text)).toThrow(expect.objectContaining({ code: 'ENCODING_MALFORMED' }))
    expect(timestampMs(toTimestamp(0))).toBe(0)
  })
})
