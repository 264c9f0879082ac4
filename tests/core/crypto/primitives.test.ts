// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { x25519 } from '@noble/curves/ed25519.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  AEAD_ChaCha20Poly1305,
  CipherSuite,
  KDF_HKDF_SHA256,
  KDF_SHAKE256,
  KEM_MLKEM768_X25519,
  NotSupportedError,
} from 'hpke'
import { fromHex, toHex, utf8 } from '#core/bytes/encoding.ts'
import { gcmOpen, importGcmKey } from '#core/crypto/aead.ts'
import { digestOf, hmacSha256, sha256, sha256Large, sha256Portable } from '#core/crypto/hash.ts'
import { hkdfExpand } from '#core/crypto/hkdf.ts'
import {
  HPKE_OVERHEAD_BYTES,
  hpkeOpen,
  hpkeSeal,
  nativeHpke,
  portableHpke,
  sealingPublicKey,
} from '#core/crypto/hpke.ts'
import { createKeyWrapper, unwrapKey, wrapKey } from '#core/crypto/key-wrap.ts'
import { portableKem } from '#core/crypto/portable-kem.ts'
import { seededRandom } from '#tests/deployment.ts'
import { hex, wycheproof } from '#tests/vectors/wycheproof.ts'

const FAILED = { code: 'OPEN_FAILED' }

describe('HKDF', () => {
  it.each([
    ['SHA-256', 'hkdf_sha256', 'sha256'],
    ['SHA-512', 'hkdf_sha512', 'sha512'],
  ] as const)('of %s expands as Wycheproof states, and not beyond 255 hash lengths', (name, file, node) => {
    for (const group of wycheproof(file)) {
      for (const test of group.tests) {
        // Extract, RFC 5869 section 2.2, is not ours: an entry's key is uniformly random already.
        const prk = createHmac(node, hex(test['salt'])).update(hex(test['ikm'])).digest()
        const expand = () => hkdfExpand(name, prk, hex(test['info']), Number(test['size']))
        if (test.result === 'invalid') expect(expand).toThrow(RangeError)
        else expect(toHex(expand())).toBe(test['okm'])
      }
    }
  })
})

describe('hashes', () => {
  it('are those of node:crypto, at every length around a block', async () => {
    const random = seededRandom(5)
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 128, 255, 256, 257, 1000]) {
      const bytes = random(length)
      const expected = createHash('sha256').update(bytes).digest()
      expect(toHex(sha256(bytes))).toBe(expected.toString('hex'))
      expect(toHex(sha256Portable(bytes))).toBe(expected.toString('hex'))
      expect(toHex(sha256(bytes.subarray(0, length >> 1), bytes.subarray(length >> 1)))).toBe(
        expected.toString('hex'),
      )
      expect(toHex(await sha256Large(bytes))).toBe(expected.toString('hex'))
      expect(digestOf(bytes)).toBe(expected.toString('base64url'))
      const mac = createHmac('sha256', bytes).update('x').digest('hex')
      expect(toHex(hmacSha256(bytes, utf8('x')))).toBe(mac)
    }
  })
})

describe('AES-256-GCM', () => {
  it('takes 32-byte keys and 12-byte nonces only', async () => {
    for (const bytes of [0, 16, 24, 31, 33]) {
      await expect(importGcmKey(new Uint8Array(bytes))).rejects.toThrow(RangeError)
    }
    const key = await importGcmKey(new Uint8Array(32))
    for (const bytes of [0, 8, 11, 13, 16]) {
      await expect(key.seal(new Uint8Array(bytes), utf8('a'))).rejects.toThrow(RangeError)
      await expect(key.open(new Uint8Array(bytes), new Uint8Array(17))).rejects.toMatchObject(FAILED)
    }
  })

  it('opens no ciphertext shorter than its tag, and no truncated tag', async () => {
    const key = await importGcmKey(new Uint8Array(32))
    const sealed = await key.seal(new Uint8Array(12), utf8('text'))
    for (let length = 0; length < sealed.length; length++) {
      const cut = sealed.subarray(0, length)
      await expect(gcmOpen(new Uint8Array(32), new Uint8Array(12), cut)).rejects.toMatchObject(FAILED)
    }
  })
})

describe('AES key wrap', () => {
  it('of RFC 3394 section 4.6: 256 bits of key data with a 256-bit key', async () => {
    const kek = fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')
    const dek = fromHex('00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f')
    const wrapped = '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21'
    // Sections 4.1 to 4.5 wrap shorter keys or under shorter ones, which this room refuses (below).
    expect(toHex(await wrapKey(kek, dek))).toBe(wrapped)
    expect(toHex(await unwrapKey(kek, fromHex(wrapped)))).toBe(toHex(dek))
  })

  it('takes 32-byte keys only, and fails alike for every flipped bit and every other length', async () => {
    for (const bytes of [0, 16, 24, 31, 33])
      await expect(createKeyWrapper(new Uint8Array(bytes))).rejects.toThrow(RangeError)
    const wrapper = await createKeyWrapper(new Uint8Array(32).fill(3))
    for (const bytes of [0, 16, 24, 31, 40])
      await expect(wrapper.wrap(new Uint8Array(bytes))).rejects.toThrow(RangeError)
    const wrapped = await wrapper.wrap(new Uint8Array(32).fill(4))
    for (let bit = 0; bit < 320; bit++) {
      const flipped = wrapped.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      await expect(wrapper.unwrap(flipped)).rejects.toMatchObject(FAILED)
    }
    for (const bytes of [0, 8, 16, 24, 32, 39, 41, 48])
      await expect(wrapper.unwrap(new Uint8Array(bytes))).rejects.toMatchObject(FAILED)
  })
})

describe('the parts of MLKEM768-X25519 in JavaScript', () => {
  it('ML-KEM-768 derives keys and decapsulates as Wycheproof states', () => {
    for (const { tests } of wycheproof('mlkem_768_keygen_seed').slice(0, 20)) {
      for (const test of tests) expect(toHex(ml_kem768.keygen(hex(test['seed'])).publicKey)).toBe(test['ek'])
    }
    for (const { tests } of wycheproof('mlkem_768')) {
      for (const test of tests) {
        const secret = attempt(() =>
          toHex(ml_kem768.decapsulate(hex(test['c']), ml_kem768.keygen(hex(test['seed'])).secretKey)),
        )
        expect(secret).toBe(test.result === 'valid' ? test['K'] : null)
      }
    }
  })

  it('ML-KEM-768 encapsulates as Wycheproof states, and refuses keys with an unreduced coefficient', () => {
    for (const { tests } of wycheproof('mlkem_768_encaps')) {
      for (const test of tests) {
        const made = attempt(() => ml_kem768.encapsulate(hex(test['ek']), hex(test['m'])))
        expect(made && toHex(made.sharedSecret)).toBe(test.result === 'valid' ? test['K'] : null)
        if (made && test['c'] !== undefined) expect(toHex(made.cipherText)).toBe(test['c'])
      }
    }
  })

  it('X25519 agrees with Wycheproof, and refuses a shared secret of zeros', () => {
    for (const { tests } of wycheproof('x25519')) {
      for (const test of tests) {
        const shared = attempt(() => toHex(x25519.getSharedSecret(hex(test['private']), hex(test['public']))))
        expect(shared).toBe(test.flags.includes('ZeroSharedSecret') ? null : test['shared'])
      }
    }
  })
})

interface HpkeVector {
  readonly kem_id: number
  readonly kdf_id: number
  readonly info: string
  readonly skRm: string
  readonly pkRm: string
  readonly enc: string
  readonly encryptions: readonly { aad: string; ct: string; pt: string }[]
  readonly exports: readonly { exporter_context: string; L: number; exported_value: string }[]
}

describe.each([
  ['WebCrypto', KEM_MLKEM768_X25519],
  ['JavaScript', portableKem],
] as const)('HPKE with MLKEM768-X25519 of %s', (_, kem) => {
  const path = new URL('../../vectors/hpke/hpke-pq.json', import.meta.url)
  const vectors = (JSON.parse(readFileSync(path, 'utf8')) as HpkeVector[]).filter(
    (item) => item.kem_id === 0x647a,
  )

  it('opens and exports every message of the published vectors', async () => {
    // Their AEAD is ChaCha20Poly1305 (one with HKDF-SHA256, one with SHAKE256); none is published
    // for AES-256-GCM, whose own vectors are above. Key schedule and KEM are the same.
    expect(vectors.map((vector) => vector.kdf_id)).toEqual([1, 17])
    for (const vector of vectors) {
      const kdf = vector.kdf_id === 1 ? KDF_HKDF_SHA256 : KDF_SHAKE256
      const suite = new CipherSuite(kem, kdf, AEAD_ChaCha20Poly1305)
      const key = await suite.DeserializePrivateKey(fromHex(vector.skRm))
      expect(toHex(sealingPublicKey(fromHex(vector.skRm)))).toBe(vector.pkRm)
      const context = await suite.SetupRecipient(key, fromHex(vector.enc), { info: fromHex(vector.info) })
      for (const { aad, ct, pt } of vector.encryptions) {
        expect(toHex(await context.Open(fromHex(ct), fromHex(aad)))).toBe(pt)
      }
      for (const { exporter_context, L, exported_value } of vector.exports) {
        expect(toHex(await context.Export(fromHex(exporter_context), L))).toBe(exported_value)
      }
    }
  })
})

describe('sealing to a public key', () => {
  const seed = new Uint8Array(32).fill(5)

  it('opens with either implementation what either sealed', async () => {
    for (const sealer of [nativeHpke, portableHpke]) {
      const sealed = await sealer.seal(sealingPublicKey(seed), utf8('info'), utf8('secret'))
      expect(sealed.length).toBe(6 + HPKE_OVERHEAD_BYTES)
      for (const opener of [nativeHpke, portableHpke]) {
        expect(await opener.open(seed, utf8('info'), sealed)).toEqual(utf8('secret'))
        await expect(opener.open(seed, utf8('inf'), sealed)).rejects.toMatchObject(FAILED)
      }
    }
  })

  it('fails alike for a flipped bit anywhere, a truncation, and another seed', async () => {
    const sealed = await hpkeSeal(sealingPublicKey(seed), utf8('info'), utf8('secret'))
    const failing = { ...FAILED, message: 'sealed bytes do not open' }
    for (let at = 0; at < sealed.length; at += 53) {
      const flipped = sealed.map((byte, i) => (i === at ? byte ^ 16 : byte))
      await expect(hpkeOpen(seed, utf8('info'), flipped)).rejects.toMatchObject(failing)
    }
    for (const length of [0, 1, 1119, 1120, 1135, 1136, sealed.length - 1]) {
      await expect(hpkeOpen(seed, utf8('info'), sealed.subarray(0, length))).rejects.toMatchObject(failing)
    }
    for (const other of [new Uint8Array(32), new Uint8Array(31), new Uint8Array(64)]) {
      await expect(hpkeOpen(other, utf8('info'), sealed)).rejects.toMatchObject(failing)
    }
  })

  it('refuses a public key of another length or with an unreduced coefficient', async () => {
    const unreduced = sealingPublicKey(seed).fill(255, 0, 3)
    for (const bad of [new Uint8Array(0), new Uint8Array(1215), new Uint8Array(1217), unreduced]) {
      for (const hpke of [nativeHpke, portableHpke]) {
        await expect(hpke.seal(bad, utf8('info'), utf8('a'))).rejects.toMatchObject({ code: 'KEY_MALFORMED' })
      }
    }
    expect(() => sealingPublicKey(new Uint8Array(31))).toThrow(RangeError)
  })

  it('falls back to JavaScript where WebCrypto has no ML-KEM', async () => {
    const subtle = crypto.subtle as { importKey: unknown }
    const original = subtle.importKey as (...args: unknown[]) => Promise<CryptoKey>
    const withoutMlKem = (
      format: KeyFormat,
      key: BufferSource,
      algorithm: { name: string },
      ...rest: unknown[]
    ) =>
      algorithm.name === 'ML-KEM-768'
        ? Promise.reject(new DOMException('unrecognized', 'NotSupportedError'))
        : Reflect.apply(original, crypto.subtle, [format, key, algorithm, ...rest])
    subtle.importKey = withoutMlKem
    try {
      await expect(nativeHpke.seal(sealingPublicKey(seed), utf8('i'), utf8('a'))).rejects.toThrow(
        NotSupportedError,
      )
      const sealed = await hpkeSeal(sealingPublicKey(seed), utf8('i'), utf8('secret'))
      expect(await hpkeOpen(seed, utf8('i'), sealed)).toEqual(utf8('secret'))
    } finally {
      subtle.importKey = original
    }
  })
})

function attempt<T>(act: () => T): T | null {
  try {
    return act()
  } catch {
    return null
  }
}
