// SPDX-License-Identifier: Apache-2.0
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { fromBase64url, toBase64url } from '../bytes/encoding.ts'
import { concat } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'
import type { PublicJwk, SignatureAlgorithm } from '../ports/keys.ts'

type Verify = (bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>
type Sign = (bytes: Uint8Array) => Promise<Uint8Array>

/** One signature algorithm: adding another is adding a row to `ALGORITHMS`. */
interface Algorithm {
  readonly importPublic: (jwk: PublicJwk) => Promise<Verify>
  readonly importSeed: (seed: Uint8Array) => Promise<Sign>
  readonly publicKey: (seed: Uint8Array) => PublicJwk
  readonly isSeed: (seed: Uint8Array) => boolean
}

type Bytes = Uint8Array<ArrayBuffer>
const own = (bytes: Uint8Array): Bytes => new Uint8Array(bytes)
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const ECDSA = { name: 'ECDSA', hash: 'SHA-256' } as const
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** The one table of signature algorithms. */
export const ALGORITHMS: Readonly<Record<SignatureAlgorithm, Algorithm>> = {
  ES256: {
    importPublic: async (jwk) => {
      const key = await crypto.subtle.importKey('jwk', { ...jwk }, P256, true, ['verify'])
      return async (bytes, signature) =>
        signature.length === 64 &&
        hasLowS(signature) &&
        crypto.subtle.verify(ECDSA, key, own(signature), own(bytes))
    },
    importSeed: async (seed) => {
      const jwk = { ...p256PublicKey(seed), d: toBase64url(seed) }
      const key = await crypto.subtle.importKey('jwk', jwk, P256, false, ['sign'])
      return async (bytes) => normalizeLowS(new Uint8Array(await crypto.subtle.sign(ECDSA, key, own(bytes))))
    },
    publicKey: p256PublicKey,
    isSeed: (seed) => seed.length === 32 && p256.utils.isValidSecretKey(seed),
  },
  Ed25519: {
    importPublic: async (jwk) => {
      const key = await tryImport('Ed25519', jwk, ['verify'])
      if (!key) return async (bytes, signature) => verifyEd25519(jwk, bytes, signature)
      return async (bytes, signature) =>
        signature.length === 64 && crypto.subtle.verify('Ed25519', key, own(signature), own(bytes))
    },
    importSeed: async (seed) => {
      const key = await tryImport('Ed25519', { ...ed25519PublicKey(seed), d: toBase64url(seed) }, ['sign'])
      if (!key) return async (bytes) => ed25519.sign(bytes, seed)
      return async (bytes) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, own(bytes)))
    },
    publicKey: ed25519PublicKey,
    isSeed: (seed) => seed.length === 32,
  },
  'ML-DSA-44': {
    importPublic: async (jwk) => {
      const key = await tryImport('ML-DSA-44', jwk, ['verify'])
      if (!key) return async (bytes, signature) => verifyMlDsa(jwk, bytes, signature)
      return async (bytes, signature) =>
        signature.length === 2420 && crypto.subtle.verify('ML-DSA-44', key, own(signature), own(bytes))
    },
    importSeed: async (seed) => {
      const key = await tryImport('ML-DSA-44', { ...mlDsaPublicKey(seed), priv: toBase64url(seed) }, ['sign'])
      if (key) return async (bytes) => new Uint8Array(await crypto.subtle.sign('ML-DSA-44', key, own(bytes)))
      const { secretKey } = ml_dsa44.keygen(seed)
      return async (bytes) => ml_dsa44.sign(bytes, secretKey)
    },
    publicKey: mlDsaPublicKey,
    isSeed: (seed) => seed.length === 32,
  },
}

/** s is in the lower half of the group order: of (r, s) and (r, n - s) only one is a signature here. */
export function hasLowS(signature: Uint8Array): boolean {
  return scalar(signature.subarray(32)) <= P256_ORDER / 2n
}

/** r || s with low s; KMS and WebCrypto promise neither half. @throws AmpereError SIGNATURE_INVALID */
export function normalizeLowS(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  if (signature.length !== 64)
    throw new AmpereError('SIGNATURE_INVALID', 'an ES256 signature is not 64 bytes')
  if (hasLowS(signature)) return own(signature)
  const s = (P256_ORDER - scalar(signature.subarray(32))).toString(16).padStart(64, '0')
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(s.slice(i * 2, i * 2 + 2), 16))
  return concat(signature.subarray(0, 32), bytes)
}

function scalar(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}

function p256PublicKey(seed: Uint8Array): PublicJwk {
  const point = p256.getPublicKey(seed, false)
  return {
    kty: 'EC',
    crv: 'P-256',
    x: toBase64url(point.subarray(1, 33)),
    y: toBase64url(point.subarray(33)),
  }
}

function ed25519PublicKey(seed: Uint8Array): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64url(ed25519.getPublicKey(seed)) }
}

function mlDsaPublicKey(seed: Uint8Array): PublicJwk {
  return { kty: 'AKP', alg: 'ML-DSA-44', pub: toBase64url(ml_dsa44.keygen(seed).publicKey) }
}

function verifyEd25519(jwk: PublicJwk, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (jwk.kty !== 'OKP' || signature.length !== 64) return false
  try {
    return ed25519.verify(signature, bytes, fromBase64url(jwk.x), { zip215: false })
  } catch {
    // A signature that is no encoding of one is a wrong signature, not a failure of ours.
    return false
  }
}

function verifyMlDsa(jwk: PublicJwk, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (jwk.kty !== 'AKP' || signature.length !== 2420) return false
  return ml_dsa44.verify(signature, bytes, fromBase64url(jwk.pub))
}

/** Imports into WebCrypto, or gives null where this host's WebCrypto lacks the algorithm. */
async function tryImport(
  name: string,
  jwk: object,
  usages: readonly ('sign' | 'verify')[],
): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.importKey('jwk', { ...jwk }, { name }, true, [...usages])
  } catch (error) {
    if (error instanceof Error && error.name === 'NotSupportedError') return null
    throw new AmpereError('KEY_MALFORMED', 'a key cannot be imported', { cause: error })
  }
}
