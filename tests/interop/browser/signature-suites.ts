// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { fromHex, toBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import { hasLowS } from '#core/crypto/low-s.ts'
import { hex, wycheproof, type WycheproofGroup, type WycheproofTest } from '#tests/vectors/wycheproof.ts'
import type { PublicJwk } from '#core/ports/keys.ts'
import type { SignatureCases } from './signature-answers.ts'

/** Signatures, and which of them are valid, in order. */
export interface Suite {
  readonly cases: SignatureCases
  readonly expected: readonly boolean[]
}

/** Published vectors, and what section 3 of docs/PROTOCOL.md makes of them. */
export const SUITES: Readonly<Record<string, () => Suite>> = {
  'Wycheproof Ed25519': () =>
    suiteOf(
      'ed25519',
      (group) => okp(hex((group['publicKey'] as { pk: string }).pk)),
      ({ result }) => result === 'valid',
    ),
  'Wycheproof ES256': () =>
    suiteOf(
      'ecdsa_secp256r1_sha256_p1363',
      (group) => ec(hex((group['publicKey'] as { uncompressed: string }).uncompressed)),
      (test) => test.result === 'valid' && hasLowS(hex(test['sig'])),
    ),
  'Wycheproof ML-DSA-44': () =>
    suiteOf(
      'mldsa_44_verify',
      (group) => ({ kty: 'AKP', alg: 'ML-DSA-44', pub: toBase64url(hex(group['publicKey'])) }),
      (test) => test.result === 'valid' && (test['ctx'] ?? '') === '',
    ),
  'C2SP/CCTV Ed25519': edgesOfEd25519,
}

function suiteOf(
  name: string,
  jwkOf: (group: WycheproofGroup) => PublicJwk,
  isValid: (test: WycheproofTest) => boolean,
): Suite {
  const groups = wycheproof(name)
  const cases = groups.map((group) => ({
    jwk: jwkOf(group),
    tests: group.tests.map((test) => ({ msg: String(test['msg']), sig: String(test['sig']) })),
  }))
  return { cases, expected: groups.flatMap((group) => group.tests.map(isValid)) }
}

function edgesOfEd25519(): Suite {
  const path = new URL('../../vectors/cctv/ed25519vectors.json', import.meta.url)
  const edges = JSON.parse(readFileSync(path, 'utf8')) as {
    key: string
    sig: string
    msg: string
    flags: unknown
  }[]
  const cases = edges.map(({ key, sig, msg }) => ({
    jwk: okp(fromHex(key)),
    tests: [{ msg: toHex(utf8(msg)), sig }],
  }))
  return { cases, expected: edges.map(({ flags }) => flags === null) }
}

function okp(x: Uint8Array): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64url(x) }
}

function ec(point: Uint8Array): PublicJwk {
  return {
    kty: 'EC',
    crv: 'P-256',
    x: toBase64url(point.subarray(1, 33)),
    y: toBase64url(point.subarray(33)),
  }
}
