// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { fromHex, toBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import { concat } from '#core/bytes/frame.ts'
import { hasLowS, normalizeLowS } from '#core/crypto/low-s.ts'
import {
  createVerifier,
  createVerifiers,
  generateSoftwareKey,
  softwareSigner,
} from '#core/crypto/signature.ts'
import type { PublicJwk, SignatureAlgorithm } from '#core/ports/keys.ts'
import { seededRandom } from '#tests/deployment.ts'

const ALL: readonly SignatureAlgorithm[] = ['ES256', 'Ed25519', 'ML-DSA-44']
const BOTH = ALL.flatMap((alg) => [true, false].map((portable) => ({ alg, portable })))
const MALFORMED = { code: 'KEY_MALFORMED' }

describe.each(BOTH)('a signer of $alg (JavaScript: $portable)', ({ alg, portable }) => {
  it('gives signatures that both implementations accept, for those bytes and that key only', async () => {
    const random = seededRandom(21)
    for (let round = 0; round < 8; round++) {
      const { seed, publicKey } = generateSoftwareKey(alg, random)
      const signer = await softwareSigner(alg, seed, { portable })
      const message = random(round * 7)
      const signature = await signer.sign(message)
      for (const other of [true, false]) {
        const verifier = await createVerifier(publicKey, { portable: other })
        expect(verifier).toMatchObject({ alg, kid: signer.kid })
        expect(await verifier.verify(message, signature)).toBe(true)
        expect(await verifier.verify(concat(message, new Uint8Array(1)), signature)).toBe(false)
        const stranger = await createVerifier(generateSoftwareKey(alg, random).publicKey, { portable: other })
        expect(await stranger.verify(message, signature)).toBe(false)
        const flipped = signature.map((byte, i) => (i === round * 3 ? byte ^ (1 << round) : byte))
        expect(await verifier.verify(message, flipped)).toBe(false)
        for (const bad of [new Uint8Array(0), signature.slice(1), concat(signature, new Uint8Array(1))]) {
          expect(await verifier.verify(message, bad)).toBe(false)
        }
      }
    }
  })

  it('refuses bytes that are no private key', async () => {
    const bad = [new Uint8Array(0), new Uint8Array(31).fill(1), new Uint8Array(33).fill(1)]
    if (alg === 'ES256') bad.push(new Uint8Array(32), new Uint8Array(32).fill(255))
    for (const seed of bad)
      await expect(softwareSigner(alg, seed, { portable })).rejects.toMatchObject(MALFORMED)
  })
})

describe('ES256', () => {
  it('has one signature of the two that ECDSA allows: low s, on both sides', async () => {
    const signer = await softwareSigner('ES256', new Uint8Array(32).fill(9))
    for (let i = 0; i < 16; i++) {
      const signature = await signer.sign(new Uint8Array([i]))
      const s = BigInt(`0x${toHex(signature.subarray(32))}`)
      expect(hasLowS(signature)).toBe(true)
      const twin = concat(
        signature.subarray(0, 32),
        fromHex((p256.Point.Fn.ORDER - s).toString(16).padStart(64, '0')),
      )
      expect(
        p256.verify(twin, new Uint8Array([i]), p256.getPublicKey(new Uint8Array(32).fill(9)), {
          lowS: false,
        }),
      ).toBe(true)
      for (const portable of [true, false]) {
        const verifier = await createVerifier(signer.publicKey, { portable })
        expect(await verifier.verify(new Uint8Array([i]), twin)).toBe(false)
      }
      expect(toHex(normalizeLowS(twin))).toBe(toHex(signature))
      expect(toHex(normalizeLowS(signature))).toBe(toHex(signature))
    }
  })

  it('counts half of the group order as low, and one more as high', () => {
    const half = p256.Point.Fn.ORDER / 2n
    const withS = (s: bigint) => concat(new Uint8Array(32), fromHex(s.toString(16).padStart(64, '0')))
    expect([0n, 1n, half - 1n, half, half + 1n, half + 256n].map((s) => hasLowS(withS(s)))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ])
  })

  it('cannot normalise what is no r || s', () => {
    for (const bad of [
      new Uint8Array(63),
      new Uint8Array(65),
      new Uint8Array(64).fill(255),
      new Uint8Array(0),
    ]) {
      expect(() => normalizeLowS(bad)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }))
    }
  })

  it('draws a scalar again that is not below the group order', () => {
    const draws = [new Uint8Array(32).fill(255), new Uint8Array(32), new Uint8Array(32).fill(7)]
    const { seed } = generateSoftwareKey('ES256', () => draws.shift() ?? new Uint8Array(32))
    expect(seed).toEqual(new Uint8Array(32).fill(7))
  })
})

describe('where WebCrypto lacks an algorithm', () => {
  it.each(['Ed25519', 'ML-DSA-44'] as const)('%s is signed and verified in JavaScript', async (alg) => {
    const subtle = crypto.subtle as { importKey: unknown }
    const original = subtle.importKey
    subtle.importKey = () => Promise.reject(new DOMException('unrecognized', 'NotSupportedError'))
    try {
      const signer = await softwareSigner(alg, new Uint8Array(32).fill(9))
      const verifier = await createVerifier(signer.publicKey)
      const signature = await signer.sign(utf8('a'))
      expect(await verifier.verify(utf8('a'), signature)).toBe(true)
      expect(await verifier.verify(utf8('b'), signature)).toBe(false)
    } finally {
      subtle.importKey = original
    }
  })
})

describe('the cache of verifiers', () => {
  it('keeps the most recently used keys, and no failures', async () => {
    const keys = [1, 2, 3].map((fill) => okp(ed25519.getPublicKey(new Uint8Array(32).fill(fill))))
    const [a, b, c] = keys as [PublicJwk, PublicJwk, PublicJwk]
    const verifiers = createVerifiers(2)
    const first = await verifiers.get(a)
    const second = await verifiers.get(b)
    expect(await verifiers.get(a)).toBe(first)
    await verifiers.get(c)
    expect(await verifiers.get(a)).toBe(first)
    expect(await verifiers.get(b)).not.toBe(second)
    await expect(verifiers.get(okp(new Uint8Array(32).fill(255)))).rejects.toMatchObject(MALFORMED)
    await expect(verifiers.get(okp(new Uint8Array(32).fill(255)))).rejects.toMatchObject(MALFORMED)
  })
})

function okp(x: Uint8Array): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64url(x) }
}
