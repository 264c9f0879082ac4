// SPDX-License-Identifier: Apache-2.0
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { fromBase64url } from '../bytes/encoding.ts'
import { concat } from '../bytes/frame.ts'
import type { PublicJwk, Random } from '../ports/keys.ts'

const POINT_BYTES = 32

/** Verifying and signing with one algorithm, by one means. */
export interface Implementation {
  importPublic(jwk: PublicJwk): Promise<(bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>>
  importSeed(
    seed: Uint8Array,
    publicKey: PublicJwk,
    random?: Random,
  ): Promise<(bytes: Uint8Array) => Promise<Uint8Array>>
}

/** ECDSA P-256 with SHA-256 in JavaScript; signatures are deterministic (RFC 6979). */
export const portableEs256: Implementation = {
  importPublic: async (jwk) => {
    const key = memberBytes(jwk)
    return async (bytes, signature) => isTrue(() => p256.verify(signature, bytes, key, { lowS: true }))
  },
  importSeed: async (seed) => async (bytes) => p256.sign(bytes, seed, { lowS: true }),
}

/** Ed25519 (RFC 8032) in JavaScript, with the same answers as an implementation that compares R's bytes. */
export const portableEd25519: Implementation = {
  importPublic: async (jwk) => {
    const key = memberBytes(jwk)
    return async (bytes, signature) =>
      isTrue(() => ed25519.verify(signature, bytes, key, { zip215: false }) && isPrimeOrder(signature))
  },
  importSeed: async (seed) => async (bytes) => ed25519.sign(bytes, seed),
}

/** ML-DSA-44 (FIPS 204, empty context) in JavaScript; `random` hedges signing, without it it is deterministic. */
export const portableMlDsa44: Implementation = {
  importPublic: async (jwk) => {
    const key = memberBytes(jwk)
    return async (bytes, signature) => isTrue(() => ml_dsa44.verify(signature, bytes, key))
  },
  importSeed: async (seed, _, random) => {
    const { secretKey } = ml_dsa44.keygen(seed)
    return async (bytes) => ml_dsa44.sign(bytes, secretKey, { extraEntropy: random ? random(32) : false })
  },
}

/**
 * noble checks the equation times the cofactor; OpenSSL and BoringSSL check it as it is. For a public key of
 * prime order (which `checkPublicJwk` asks for) they differ exactly where R has a component of small order.
 */
function isPrimeOrder(signature: Uint8Array): boolean {
  return ed25519.Point.fromBytes(signature.subarray(0, POINT_BYTES)).isTorsionFree()
}

/** Bytes that encode no signature at all make a wrong signature, not a failure of ours. */
function isTrue(verify: () => boolean): boolean {
  try {
    return verify()
  } catch {
    return false
  }
}

function memberBytes(jwk: PublicJwk): Uint8Array {
  if (jwk.kty === 'AKP') return fromBase64url(jwk.pub)
  if (jwk.kty === 'OKP') return fromBase64url(jwk.x)
  return concat(new Uint8Array([4]), fromBase64url(jwk.x), fromBase64url(jwk.y))
}
