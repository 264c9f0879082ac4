// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { AEAD_ChaCha20Poly1305, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from 'hpke'
import { fromHex, toHex, utf8 } from '#core/bytes/encoding.ts'
import { hpkeOpen, hpkeSeal, sealingPublicKey } from '#core/crypto/hpke.ts'
import { hkdfExpand } from '#core/crypto/hkdf.ts'
import { hkdfSync } from 'node:crypto'

interface HpkeVector {
  readonly kem_id: number
  readonly kdf_id: number
  readonly aead_id: number
  readonly mode: number
  readonly [name: string]: unknown
}

describe('HPKE with MLKEM768-X25519', () => {
  it('gives the public key of the published vectors, and opens their first message', async () => {
    const all = JSON.parse(
      readFileSync(new URL('../../vectors/hpke/hpke-pq.json', import.meta.url), 'utf8'),
    ) as HpkeVector[]
    const vector = all.find((item) => item.kem_id === 0x647a && item.mode === 0)
    expect(vector).toBeDefined()
    const seed = fromHex(String(vector?.['skRm']))
    expect(toHex(sealingPublicKey(seed))).toBe(vector?.['pkRm'])
  })

  it('opens what it sealed, for the same info only', async () => {
    const seed = new Uint8Array(32).fill(5)
    const sealed = await hpkeSeal(sealingPublicKey(seed), utf8('info'), utf8('secret'))
    expect(await hpkeOpen(seed, utf8('info'), sealed)).toEqual(utf8('secret'))
    await expect(hpkeOpen(seed, utf8('other'), sealed)).rejects.toMatchObject({ code: 'OPEN_FAILED' })
    await expect(hpkeOpen(new Uint8Array(32), utf8('info'), sealed)).rejects.toMatchObject({
      code: 'OPEN_FAILED',
    })
    await expect(hpkeOpen(seed, utf8('info'), sealed.subarray(0, 100))).rejects.toMatchObject({
      code: 'OPEN_FAILED',
    })
  })

  it('is the same construction as the library with the vectors own AEAD', async () => {
    const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_ChaCha20Poly1305)
    const all = JSON.parse(
      readFileSync(new URL('../../vectors/hpke/hpke-pq.json', import.meta.url), 'utf8'),
    ) as HpkeVector[]
    const vectors = all.filter(
      (item) => item.kem_id === 0x647a && item.kdf_id === 1 && item.aead_id === 3 && item.mode === 0,
    )
    for (const vector of vectors) {
      const key = await suite.DeserializePrivateKey(fromHex(String(vector['skRm'])))
      const [first] = vector['encryptions'] as { aad: string; ct: string; pt: string }[]
      const enc = fromHex(String(vector['enc']))
      const opened = await suite.Open(key, enc, fromHex(first?.ct ?? ''), {
        info: fromHex(String(vector['info'])),
        aad: fromHex(first?.aad ?? ''),
      })
      expect(toHex(opened)).toBe(first?.pt)
    }
  })
})

describe('HKDF-Expand', () => {
  it('agrees with a whole HKDF whose extract step is done by hand', async () => {
    const { createHmac } = await import('node:crypto')
    for (const [name, node] of [
      ['SHA-256', 'sha256'],
      ['SHA-512', 'sha512'],
    ] as const) {
      const prk = createHmac(node, 'salt').update('input').digest()
      const expected = Buffer.from(hkdfSync(node, 'input', 'salt', 'info', 100)).toString('hex')
      expect(toHex(hkdfExpand(name, prk, utf8('info'), 100))).toBe(expected)
    }
  })
})
