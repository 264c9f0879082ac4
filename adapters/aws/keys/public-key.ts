// SPDX-License-Identifier: Apache-2.0
import { fromHex, toBase64url } from '#core/bytes/encoding.ts'
import { equalBytes } from '#core/bytes/frame.ts'
import { checkPublicJwk } from '#core/crypto/jwk.ts'
import { AmpereError } from '#core/errors.ts'
import type { PublicJwk, SignatureAlgorithm } from '#core/ports/keys.ts'

/**
 * SubjectPublicKeyInfo (RFC 5280 section 4.1) of each algorithm up to its key: all bytes before it are always the same. P-256
 * uncompressed (RFC 5480), Ed25519 (RFC 8410), ML-DSA-44 (RFC 9881).
 */
const PREFIXES: Readonly<Record<SignatureAlgorithm, Uint8Array>> = {
  ES256: fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004'),
  Ed25519: fromHex('302a300506032b6570032100'),
  'ML-DSA-44': fromHex('30820532300b06096086480165030403110382052100'),
}
const JWK_OF: Readonly<Record<SignatureAlgorithm, (key: Uint8Array) => object>> = {
  ES256: (key) => ({
    kty: 'EC',
    crv: 'P-256',
    x: toBase64url(key.subarray(0, 32)),
    y: toBase64url(key.subarray(32)),
  }),
  Ed25519: (key) => ({ kty: 'OKP', crv: 'Ed25519', x: toBase64url(key) }),
  'ML-DSA-44': (key) => ({ kty: 'AKP', alg: 'ML-DSA-44', pub: toBase64url(key) }),
}

/** The public key that KMS gives, if it is one of this algorithm. @throws AmpereError KEY_UNAVAILABLE */
export function publicJwkOf(alg: SignatureAlgorithm, spki: Uint8Array): PublicJwk {
  const prefix = PREFIXES[alg]
  if (equalBytes(spki.subarray(0, prefix.length), prefix)) {
    try {
      return checkPublicJwk(JWK_OF[alg](spki.subarray(prefix.length)))
    } catch (cause) {
      throw otherKey(alg, cause)
    }
  }
  throw otherKey(alg)
}

function otherKey(alg: SignatureAlgorithm, cause?: unknown): AmpereError {
  return new AmpereError('KEY_UNAVAILABLE', `a key of KMS is not one of ${alg}`, { cause })
}
