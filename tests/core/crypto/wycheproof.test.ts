// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { p256 } from '@noble/curves/nist.js'
import { fromHex, toBase64url, toHex } from '#core/bytes/encoding.ts'
import { gcmOpen, gcmSeal } from '#core/crypto/aead.ts'
import { hmacSha256 } from '#core/crypto/hash.ts'
import { createKeyWrapper } from '#core/crypto/key-wrap.ts'
import { createVerifier, softwareSigner } from '#core/crypto/signature.ts'
import { hasLowS } from '#core/crypto/algorithms.ts'
import type { PublicJwk } from '#core/ports/keys.ts'

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly flags: readonly string[]
  readonly [name: string]: unknown
}
interface Group {
  readonly tests: readonly Vector[]
  readonly [name: string]: unknown
}

const groupsOf = (name: string): readonly Group[] =>
  (
    JSON.parse(
      readFileSync(new URL(`../../vectors/wycheproof/${name}_test.json`, import.meta.url), 'utf8'),
    ) as { testGroups: Group[] }
  ).testGroups
const hex = (value: unknown) => fromHex(String(value))

describe('the primitives agree with Wycheproof', () => {
  it('Ed25519 verifies exactly the valid signatures', async () => {
    const wrong: number[] = []
    for (const group of groupsOf('ed25519')) {
      const { pk } = group['publicKey'] as { pk: string }
      const verifier = await createVerifier({ kty: 'OKP', crv: 'Ed25519', x: toBase64url(hex(pk)) })
      for (const test of group.tests) {
        const accepted = await verifier.verify(hex(test['msg']), hex(test['sig']))
        if (accepted !== (test.result === 'valid')) wrong.push(test.tcId)
      }
    }
    expect(wrong).toEqual([])
  })

  it('ES256 accepts a valid r || s with low s, and nothing else', async () => {
    const wrong: number[] = []
    for (const group of groupsOf('ecdsa_secp256r1_sha256_p1363')) {
      const jwk = jwkOfPoint(hex((group['publicKey'] as { uncompressed: string }).uncompressed))
      const verifier = await createVerifier(jwk)
      for (const test of group.tests) {
        const signature = hex(test['sig'])
        const expected = test.result === 'valid' && signature.length === 64 && hasLowS(signature)
        if ((await verifier.verify(hex(test['msg']), signature)) !== expected) wrong.push(test.tcId)
      }
    }
    expect(wrong).toEqual([])
  })

  it('ML-DSA-44 verifies exactly the valid signatures of the empty context', async () => {
    const wrong: number[] = []
    for (const group of groupsOf('mldsa_44_verify')) {
      const pub = toBase64url(hex(group['publicKey']))
      const verifier = await createVerifier({ kty: 'AKP', alg: 'ML-DSA-44', pub }).catch(() => null)
      for (const test of group.tests) {
        if (test['ctx'] !== undefined && test['ctx'] !== '') continue
        const accepted = verifier ? await verifier.verify(hex(test['msg']), hex(test['sig'])) : false
        if (accepted !== (test.result === 'valid')) wrong.push(test.tcId)
      }
    }
    expect(wrong).toEqual([])
  })

  it('AES-256-GCM with 12-byte nonces seals and opens as stated, and opens nothing invalid', async () => {
    const wrong: number[] = []
    for (const group of groupsOf('aes_gcm')) {
      if (group['keySize'] !== 256 || group['ivSize'] !== 96 || group['tagSize'] !== 128) continue
      for (const test of group.tests) {
        const [key, nonce, aad] = [hex(test['key']), hex(test['iv']), hex(test['aad'])]
        const sealed = fromHex(`${String(test['ct'])}${String(test['tag'])}`)
        const opened = await gcmOpen(key, nonce, sealed, aad).then(toHex, () => null)
        const expected = test.result === 'valid' ? String(test['msg']) : null
        const again =
          test.result === 'valid' ? toHex(await gcmSeal(key, nonce, hex(test['msg']), aad)) : toHex(sealed)
        if (opened !== expected || again !== toHex(sealed)) wrong.push(test.tcId)
      }
    }
    expect(wrong).toEqual([])
  })

  it('AES key wrap wraps 32-byte keys as stated, and unwraps nothing invalid', async () => {
    const wrong: number[] = []
    for (const group of groupsOf('aes_wrap')) {
      if (group['keySize'] !== 256) continue
      for (const test of group.tests) {
        const wrapper = await createKeyWrapper(hex(test['key']))
        const dek = hex(test['msg'])
        const opened = await wrapper.unwrap(hex(test['ct'])).then(toHex, () => null)
        const expected = test.result === 'valid' && dek.length === 32 ? toHex(dek) : null
        if (opened !== expected) wrong.push(test.tcId)
        if (expected !== null && toHex(await wrapper.wrap(dek)) !== test['ct']) wrong.push(test.tcId)
      }
    }
    expect(wrong).toEqual([])
  })

  it('HMAC-SHA-256 gives every stated tag', () => {
    const wrong: number[] = []
    for (const group of groupsOf('hmac_sha256')) {
      const bytes = Number(group['tagSize']) / 8
      for (const test of group.tests) {
        const tag = toHex(hmacSha256(hex(test['key']), hex(test['msg'])).subarray(0, bytes))
        if ((tag === test['tag']) !== (test.result === 'valid')) wrong.push(test.tcId)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('signers', () => {
  it.each(['ES256', 'Ed25519', 'ML-DSA-44'] as const)(
    'of %s give signatures that verify, and only for what was signed',
    async (alg) => {
      const signer = await softwareSigner(alg, new Uint8Array(32).fill(9))
      const verifier = await createVerifier(signer.publicKey)
      const signature = await signer.sign(new Uint8Array([1, 2, 3]))
      expect(await verifier.verify(new Uint8Array([1, 2, 3]), signature)).toBe(true)
      expect(await verifier.verify(new Uint8Array([1, 2, 4]), signature)).toBe(false)
      expect(verifier.kid).toBe(signer.kid)
    },
  )

  it('refuse the twin of an ES256 signature, whose s is n - s', async () => {
    const signer = await softwareSigner('ES256', new Uint8Array(32).fill(9))
    const verifier = await createVerifier(signer.publicKey)
    const signature = await signer.sign(new Uint8Array([1]))
    const s = BigInt(`0x${toHex(signature.subarray(32))}`)
    const twin = fromHex(
      toHex(signature.subarray(0, 32)) + (p256.Point.Fn.ORDER - s).toString(16).padStart(64, '0'),
    )
    expect(await verifier.verify(new Uint8Array([1]), signature)).toBe(true)
    expect(await verifier.verify(new Uint8Array([1]), twin)).toBe(false)
  })
})

function jwkOfPoint(point: Uint8Array): PublicJwk {
  return {
    kty: 'EC',
    crv: 'P-256',
    x: toBase64url(point.subarray(1, 33)),
    y: toBase64url(point.subarray(33)),
  }
}
