// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { deflateSync } from 'fflate'
import { toHex, utf8 } from '#core/bytes/encoding.ts'
import { concat, frame, uint32 } from '#core/bytes/frame.ts'
import type { ChainId, CompartmentId, EntryId } from '#core/bytes/ids.ts'
import { gcmOpen } from '#core/crypto/aead.ts'
import { hkdfExpand } from '#core/crypto/hkdf.ts'
import { decryptChunked, encryptChunked } from '#core/seal/chunked.ts'
import { MAX_ENTRY_BYTES, openEntry, sealEntry } from '#core/seal/entry.ts'
import { MIN_PADDED_BYTES, pad, padmeLength, unpad } from '#core/seal/padding.ts'
import { seededRandom } from '#tests/deployment.ts'
import { collidingCiphertext } from './gcm-collision.ts'

const FAILED = { code: 'OPEN_FAILED', message: 'sealed bytes do not open' }
const random = seededRandom(17)
const place = {
  chain: 'c'.repeat(43) as ChainId,
  id: 'e'.repeat(22) as EntryId,
  compartment: 'A'.repeat(22) as CompartmentId,
  dek: random(32),
}
const context = frame('ampere-entry/v1', place.chain, place.id, place.compartment)
/** An entry whose padded bytes an author chose freely. */
const sealRaw = (padded: Uint8Array) => encryptChunked(place.dek, random(24), context, padded)
const sealBody = (flag: number, rest: Uint8Array) => sealRaw(pad(concat(new Uint8Array([flag]), rest)))

/** Bytes of an entry with this content. */
const lengthOf = async (content: Uint8Array) =>
  (await sealEntry({ ...place, salt: random(24), header: utf8('{}'), content })).length

describe('one ciphertext under two keys', () => {
  const prefix = utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0')
  const derive = (key: Uint8Array, salt: Uint8Array) => {
    const okm = hkdfExpand('SHA-512', key, concat(prefix, salt, context), 76)
    return { key: okm.subarray(0, 32), nonce: okm.subarray(32, 44), commitment: okm.subarray(44) }
  }

  it('is possible with AES-GCM alone, and impossible here: the commitment fits one key at most', async () => {
    const [one, other, salt] = [random(32), random(32), random(24)]
    const [a, b] = [derive(one, salt), derive(other, salt)]
    const chunk = collidingCiphertext(a, b)
    const plains = [await gcmOpen(a.key, a.nonce, chunk), await gcmOpen(b.key, b.nonce, chunk)]
    expect(toHex(plains[0] ?? salt)).not.toBe(toHex(plains[1] ?? salt))
    const forOne = concat(salt, a.commitment, chunk)
    expect(await decryptChunked(one, context, forOne)).toEqual(plains[0])
    await expect(decryptChunked(other, context, forOne)).rejects.toMatchObject(FAILED)
    const forOther = concat(salt, b.commitment, chunk)
    await expect(decryptChunked(one, context, forOther)).rejects.toMatchObject(FAILED)
  })
})

describe('chunks', () => {
  it('cannot be reordered, repeated, dropped or taken from another message', async () => {
    const unit = 16_384 + 16
    const key = random(32)
    const seal = () => encryptChunked(key, random(24), context, random(3 * 16_384 + 5))
    const [sealed, other] = [await seal(), await seal()]
    const head = sealed.subarray(0, 56)
    const part = (from: Uint8Array, k: number) => from.subarray(56 + k * unit, 56 + (k + 1) * unit)
    const arrangements: Uint8Array[][] = [
      [part(sealed, 1), part(sealed, 0), part(sealed, 2), part(sealed, 3)],
      [part(sealed, 0), part(sealed, 0), part(sealed, 1), part(sealed, 2), part(sealed, 3)],
      [part(sealed, 0), part(sealed, 2), part(sealed, 3)],
      [part(sealed, 0), part(sealed, 1), part(sealed, 2)],
      [part(sealed, 3)],
      [part(sealed, 0), part(other, 1), part(sealed, 2), part(sealed, 3)],
    ]
    for (const chunks of arrangements)
      await expect(decryptChunked(key, context, concat(head, ...chunks))).rejects.toMatchObject(FAILED)
  })

  it('need a 32-byte key and a 24-byte salt', async () => {
    await expect(encryptChunked(random(16), random(24), context, random(1))).rejects.toThrow(RangeError)
    await expect(encryptChunked(random(32), random(12), context, random(1))).rejects.toThrow(RangeError)
    const sealed = await encryptChunked(random(32), random(24), context, random(1))
    await expect(decryptChunked(random(16), context, sealed)).rejects.toMatchObject(FAILED)
  })
})

describe('padding', () => {
  it('obeys the law of Padme: never shorter, at most 12 % longer, idempotent, and few lengths', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2 ** 31 }), (length) => {
        const padded = padmeLength(length)
        expect(padded).toBeGreaterThanOrEqual(length)
        expect(padded).toBeLessThanOrEqual(length * 1.12)
        expect(padmeLength(padded)).toBe(padded)
        // Only the bits that Padme keeps are set: E - S low bits are zero.
        const exponent = Math.floor(Math.log2(length))
        const zeros = exponent - (Math.floor(Math.log2(exponent)) + 1)
        if (zeros > 0) expect(padded % 2 ** zeros).toBe(0)
      }),
    )
    expect([9, 10, 100, 1000, 5000, 70_000].map(padmeLength)).toEqual([10, 10, 104, 1024, 5120, 71_680])
  })

  it('gives back every length, and nothing else is a padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000 }), fc.nat(), (bytes, seed) => {
        const padded = pad(bytes)
        expect(Buffer.compare(unpad(padded), bytes)).toBe(0)
        expect(padded.length).toBeGreaterThanOrEqual(MIN_PADDED_BYTES)
        const slack = padded.length - 4 - bytes.length
        const dirty = padded.slice()
        if (slack > 0) dirty[4 + bytes.length + (seed % slack)] = 1 + (seed % 255)
        if (slack > 0) expect(() => unpad(dirty)).toThrow(expect.objectContaining(FAILED))
        expect(() => unpad(padded.subarray(0, -1))).toThrow(expect.objectContaining(FAILED))
      }),
      { numRuns: 60 },
    )
    for (const length of [0, 3, 4, 4095])
      expect(() => unpad(new Uint8Array(length))).toThrow(expect.objectContaining(FAILED))
    const lying = new Uint8Array(4096)
    lying.set(uint32(0xffffffff))
    expect(() => unpad(lying)).toThrow(expect.objectContaining(FAILED))
  })
})

describe('an entry', () => {
  it('hides its length among the entries of its size: small ones all look alike', async () => {
    const lengths = await Promise.all([0, 1, 500, 3000].map((size) => lengthOf(random(size))))
    expect(new Set(lengths)).toEqual(new Set([MIN_PADDED_BYTES + 56 + 16]))
  })

  it('round-trips any header and content', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.oneof(
          fc.uint8Array({ maxLength: 6000 }),
          fc.string({ maxLength: 6000 }).map((text) => utf8(text.repeat(3))),
        ),
        async (header, content) => {
          const sealed = await sealEntry({ ...place, salt: random(24), header, content })
          const opened = await openEntry(place, sealed)
          expect(Buffer.compare(opened.header, header)).toBe(0)
          expect(Buffer.compare(opened.content, content)).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('opens however well it compressed, from not at all to a thousandfold', async () => {
    const lengths = [...Array.from({ length: 300 }, (_, i) => i), 20_000, 300_000]
    for (const length of lengths) {
      const content = new Uint8Array(length).fill(97)
      const sealed = await sealEntry({ ...place, salt: random(24), header: utf8('{}'), content })
      expect((await openEntry(place, sealed)).content.length).toBe(length)
    }
  })

  it('fails alike for a flipped bit anywhere', async () => {
    const sealed = await sealEntry({ ...place, salt: random(24), header: utf8('{}'), content: random(40) })
    for (let bit = 0; bit < sealed.length * 8; bit += 61) {
      const flipped = sealed.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await expect(openEntry(place, flipped)).rejects.toMatchObject(FAILED)
    }
  })

  it('has one form: another flag, hidden or missing bytes, and useless compression fail', async () => {
    const plain = concat(uint32(2), utf8('{}'), new Uint8Array(500))
    const deflated = deflateSync(plain, { level: 6 })
    expect((await openEntry(place, await sealBody(1, deflated))).content.length).toBe(500)
    const wrong: [string, Uint8Array][] = [
      ['an unknown flag', await sealBody(2, plain)],
      ['no flag at all', await sealRaw(pad(new Uint8Array(0)))],
      ['one byte after the end of the stream', await sealBody(1, concat(deflated, new Uint8Array(1)))],
      ['a second stream after the first', await sealBody(1, concat(deflated, deflated))],
      ['20 KiB after the end of the stream', await sealBody(1, concat(deflated, random(20_480)))],
      ['a stream without its last byte', await sealBody(1, deflated.subarray(0, -1))],
      ['an empty stream', await sealBody(1, new Uint8Array(0))],
      ['a stream that is none', await sealBody(1, new Uint8Array(40).fill(255))],
      ['a stream no smaller than its content', await sealBody(1, deflateSync(random(64), { level: 0 }))],
      ['a header longer than everything', await sealBody(0, concat(uint32(9999), utf8('{}')))],
      ['less than a header length', await sealBody(0, new Uint8Array(3))],
      ['padding that is not zero', await sealRaw(pad(plain).fill(1, 4000))],
      ['another padded length', await sealRaw(concat(pad(plain), new Uint8Array(16)))],
    ]
    const opened: string[] = []
    for (const [what, ciphertext] of wrong) {
      const code = await openEntry(place, ciphertext).then(
        () => 'opened',
        (error: unknown) => (error as { code: string; message: string }).code,
      )
      if (code !== 'OPEN_FAILED') opened.push(`${what}: ${code}`)
    }
    expect(opened).toEqual([])
  })

  it('is bounded by 64 MiB when it is sealed, and while it is inflated', async () => {
    const content = new Uint8Array(MAX_ENTRY_BYTES - 6)
    const sealed = await sealEntry({ ...place, salt: random(24), header: utf8('{}'), content })
    expect((await openEntry(place, sealed)).content.length).toBe(content.length)
    const larger = sealEntry({ ...place, salt: random(24), header: utf8('{} '), content })
    await expect(larger).rejects.toMatchObject({ code: 'TOO_LARGE' })
    const bomb = await sealBody(1, deflateSync(new Uint8Array(MAX_ENTRY_BYTES + 1), { level: 6 }))
    await expect(openEntry(place, bomb)).rejects.toMatchObject(FAILED)
  })
})
