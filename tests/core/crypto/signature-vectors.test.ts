// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { ed25519 } from '@noble/curves/ed25519.js'
import { readFileSync } from 'node:fs'
import { fromHex, toBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import { hasLowS } from '#core/crypto/low-s.ts'
import { createVerifier, softwareSigner } from '#core/crypto/signature.ts'
import type { PublicJwk } from '#core/ports/keys.ts'
import { hex, wycheproof, type WycheproofGroup, type WycheproofTest } from '#tests/vectors/wycheproof.ts'
import { seededRandom } from '#tests/deployment.ts'

const MALFORMED = { code: 'KEY_MALFORMED' }

/** Ids of the cases whose answer differs from `expected`; a malformed key verifies nothing. */
async function differing(
  groups: readonly WycheproofGroup[],
  jwkOf: (group: WycheproofGroup) => PublicJwk,
  portable: boolean,
  expected: (test: WycheproofTest) => boolean,
): Promise<number[]> {
  const wrong: number[] = []
  for (const group of groups) {
    const verifier = await createVerifier(jwkOf(group), { portable }).catch(() => null)
    for (const test of group.tests) {
      const accepted = (await verifier?.verify(hex(test['msg']), hex(test['sig']))) ?? false
      if (accepted !== expected(test)) wrong.push(test.tcId)
    }
  }
  return wrong
}

describe.each([false, true])('Wycheproof with the JavaScript implementation: %s', (portable) => {
  it('Ed25519 accepts exactly the valid signatures', async () => {
    expect(
      await differing(wycheproof('ed25519'), ed25519Key, portable, (test) => test.result === 'valid'),
    ).toEqual([])
  })

  it('ES256 accepts exactly the valid signatures of 64 bytes with low s', async () => {
    const wrong = await differing(
      wycheproof('ecdsa_secp256r1_sha256_p1363'),
      p256Key,
      portable,
      (test) => test.result === 'valid' && hasLowS(hex(test['sig'])),
    )
    expect(wrong).toEqual([])
  })

  it('ML-DSA-44 accepts exactly the valid signatures made with the empty context', async () => {
    // Ampere has no context: a signature made for another one is not valid here.
    const wrong = await differing(
      wycheproof('mldsa_44_verify'),
      mlDsaKey,
      portable,
      (test) => test.result === 'valid' && (test['ctx'] ?? '') === '',
    )
    expect(wrong).toEqual([])
  })

  it('ML-DSA-44 signs what every implementation accepts', async () => {
    const groups = wycheproof('mldsa_44_sign_seed').filter((group) => hex(group['privateSeed']).length === 32)
    for (const group of groups.slice(0, 12)) {
      const signer = await softwareSigner('ML-DSA-44', hex(group['privateSeed']), { portable })
      expect(signer.publicKey).toEqual(akp(hex(group['publicKey'])))
      for (const test of group.tests.filter((item) => item['msg'] !== undefined)) {
        const signature = await signer.sign(hex(test['msg']))
        const other = await createVerifier(signer.publicKey, { portable: !portable })
        expect(await other.verify(hex(test['msg']), signature)).toBe(true)
      }
    }
  })
})

describe('ML-DSA-44 signing from a seed', () => {
  // Left out: `Internal` (a precomputed mu) and `Randomized` (a stated rnd), which no signer here takes, and
  // non-empty contexts, which Ampere does not use. An invalid case has a seed of another length.
  it('gives the stated deterministic signatures, and refuses seeds of another length', async () => {
    let compared = 0
    for (const group of wycheproof('mldsa_44_sign_seed')) {
      const seed = hex(group['privateSeed'])
      for (const test of group.tests) {
        if (test.flags.includes('Internal') || test.flags.includes('Randomized')) continue
        if ((test['ctx'] ?? '') !== '') continue
        compared++
        const signer = softwareSigner('ML-DSA-44', seed, { portable: true })
        if (test.result === 'invalid') await expect(signer).rejects.toMatchObject(MALFORMED)
        else expect(toHex(await (await signer).sign(hex(test['msg'])))).toBe(test['sig'])
      }
    }
    expect(compared).toBeGreaterThan(60)
  })

  it('is hedged when it is given randomness', async () => {
    const signer = await softwareSigner('ML-DSA-44', new Uint8Array(32), {
      portable: true,
      random: seededRandom(4),
    })
    const [first, second] = [await signer.sign(utf8('a')), await signer.sign(utf8('a'))]
    expect(toHex(first)).not.toBe(toHex(second))
    expect(await (await createVerifier(signer.publicKey)).verify(utf8('a'), second)).toBe(true)
  })
})

describe('Ed25519 edge cases of C2SP/CCTV', () => {
  interface Edge {
    readonly number: number
    readonly key: string
    readonly sig: string
    readonly msg: string
    readonly flags: readonly string[] | null
  }
  const path = new URL('../../vectors/cctv/ed25519vectors.json', import.meta.url)
  const edges = JSON.parse(readFileSync(path, 'utf8')) as Edge[]

  it('have one answer, whichever implementation verifies: only the case without any flag is valid', async () => {
    const accepted = { native: [] as number[], portable: [] as number[] }
    const keysRefused = new Set<number>()
    for (const edge of edges) {
      for (const name of ['native', 'portable'] as const) {
        const verifier = await createVerifier(okp(fromHex(edge.key)), {
          portable: name === 'portable',
        }).catch((error: unknown) => {
          expect(error).toMatchObject(MALFORMED)
          keysRefused.add(edge.number)
          return null
        })
        if (await verifier?.verify(utf8(edge.msg), fromHex(edge.sig))) accepted[name].push(edge.number)
      }
    }
    const unflagged = edges.filter((edge) => edge.flags === null).map((edge) => edge.number)
    expect(accepted).toEqual({ native: unflagged, portable: unflagged })
    // Refused with their key, before any signature: small order, mixed order, or not canonical.
    expect(keysRefused.size).toBe(886)
  })

  it('would differ between the raw libraries: WebCrypto compares R, noble multiplies by the cofactor', async () => {
    const only = { webcrypto: 0, noble: 0, both: 0 }
    for (const edge of edges) {
      const [key, sig, msg] = [fromHex(edge.key), fromHex(edge.sig), utf8(edge.msg)]
      const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
      const byWebcrypto = await crypto.subtle.verify('Ed25519', imported, sig, msg)
      const byNoble = ed25519.verify(sig, msg, key, { zip215: false })
      if (byWebcrypto && byNoble) only.both++
      else if (byWebcrypto) only.webcrypto++
      else if (byNoble) only.noble++
    }
    // noble alone accepts R or A with a small-order component (cofactored equation) and R = neutral element;
    // both accept some mixed-order public keys, which checkPublicJwk refuses.
    expect(only.webcrypto).toBe(0)
    expect(only.noble).toBeGreaterThan(0)
    expect(only.both).toBeGreaterThan(1)
  })
})

describe('published examples', () => {
  it('RFC 8032 section 7.1: keys and signatures of tests 1 to 3', async () => {
    for (const { seed, publicKey, message, signature } of RFC_8032) {
      for (const portable of [false, true]) {
        const signer = await softwareSigner('Ed25519', fromHex(seed), { portable })
        expect(signer.publicKey).toEqual(okp(fromHex(publicKey)))
        expect(toHex(await signer.sign(fromHex(message)))).toBe(signature)
      }
    }
  })
})

function ed25519Key(group: WycheproofGroup): PublicJwk {
  return okp(hex((group['publicKey'] as { pk: string }).pk))
}

function p256Key(group: WycheproofGroup): PublicJwk {
  const point = hex((group['publicKey'] as { uncompressed: string }).uncompressed)
  return { kty: 'EC', crv: 'P-256', x: toBase64url(point.slice(1, 33)), y: toBase64url(point.slice(33)) }
}

function mlDsaKey(group: WycheproofGroup): PublicJwk {
  return akp(hex(group['publicKey']))
}

function okp(x: Uint8Array): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64url(x) }
}

function akp(pub: Uint8Array): PublicJwk {
  return { kty: 'AKP', alg: 'ML-DSA-44', pub: toBase64url(pub) }
}

const RFC_8032 = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
] as const
