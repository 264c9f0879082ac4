// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fromHex, toBase64url } from '#core/bytes/encoding.ts'
import { asKid } from '#core/bytes/ids.ts'
import { fingerprintOf, isFingerprintOf, sheetKeys } from '#core/client/devices/keys.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { softwareSigner } from '#core/crypto/signature.ts'

/** Made with Python's hmac and hashlib. */
const VECTORS = JSON.parse(
  readFileSync(new URL('../../../vectors/ampere/sheet.json', import.meta.url), 'utf8'),
) as {
  sheets: { seed: string; sign: string; seal: string }[]
  fingerprints: { kid: string; fingerprint: string }[]
}

describe('the keys of a sheet', () => {
  it.each(VECTORS.sheets)('of the seed $seed are those of the vector', async ({ seed, sign, seal }) => {
    const { member, signer, identity } = await sheetKeys(fromHex(seed))
    expect(member.kid).toBe((await softwareSigner('Ed25519', fromHex(sign))).kid)
    expect(member.sealing).toBe(toBase64url(sealingPublicKey(fromHex(seal))))
    expect(identity).toMatchObject({ reader: signer.kid, institution: null })
  })

  it('are not made of fewer or more bytes', async () => {
    for (const length of [0, 31, 33])
      await expect(sheetKeys(new Uint8Array(length))).rejects.toMatchObject({ code: 'KEY_MALFORMED' })
  })
})

describe('a fingerprint', () => {
  it.each(VECTORS.fingerprints)('of $kid is that of the vector', ({ kid, fingerprint }) => {
    expect(fingerprintOf(asKid(kid))).toBe(fingerprint)
    expect(isFingerprintOf(asKid(kid), fingerprint.slice(0, 6).toLowerCase())).toBe(true)
    expect(isFingerprintOf(asKid(kid), fingerprint.slice(0, 3))).toBe(false)
    expect(isFingerprintOf(asKid(kid), fingerprint.slice(1, 6))).toBe(false)
  })
})
