// SPDX-License-Identifier: Apache-2.0
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { toBase64url } from '../bytes/encoding.ts'
import { concat } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'
import type { PublicJwk, SignatureAlgorithm } from '../ports/keys.ts'
import { hasLowS, normalizeLowS } from './low-s.ts'
import {
  portableEd25519,
  portableEs256,
  portableMlDsa44,
  type Implementation,
} from './portable-signatures.ts'

export { hasLowS } from './low-s.ts'

/** One signature algorithm: adding another is adding a row to `ALGORITHMS`. */
interface Algorithm {
  /** What is a signature at all; asked before any library sees the bytes. */
  readonly isSignature: (signature: Uint8Array) => boolean
  readonly isSeed: (seed: Uint8Array) => boolean
  readonly publicKey: (seed: Uint8Array) => PublicJwk
  /** The seed as WebCrypto imports it without the public key, which it then tells; null where it does not. */
  readonly seedAlone: ((seed: Uint8Array) => readonly [format: string, bytes: Uint8Array]) | null
  /** The private key as WebCrypto imports it. */
  readonly privateJwk: (seed: Uint8Array, publicKey: PublicJwk) => JsonWebKey & { priv?: string }
  readonly importParameters: AlgorithmIdentifier | EcKeyImportParams
  readonly signParameters: AlgorithmIdentifier | EcdsaParams
  readonly finish: (signature: Uint8Array) => Uint8Array
  readonly portable: Implementation
}

/** What precedes a private key of Ed25519 in PKCS #8 (RFC 8410 section 7). */
const ED25519_PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20)

/** The one table of signature algorithms. */
export const ALGORITHMS: Readonly<Record<SignatureAlgorithm, Algorithm>> = {
  ES256: {
    isSignature: (signature) => signature.length === 64 && hasLowS(signature),
    isSeed: (seed) => seed.length === 32 && p256.utils.isValidSecretKey(seed),
    publicKey: p256PublicKey,
    seedAlone: null,
    privateJwk: (seed, publicKey) => ({ ...publicKey, d: toBase64url(seed) }),
    importParameters: { name: 'ECDSA', namedCurve: 'P-256' },
    signParameters: { name: 'ECDSA', hash: 'SHA-256' },
    finish: normalizeLowS,
    portable: portableEs256,
  },
  Ed25519: {
    // RFC 8032 does not exclude the neutral element as R; some hosts do, so all must.
    isSignature: (signature) => signature.length === 64 && !isNeutral(signature),
    isSeed: (seed) => seed.length === 32,
    publicKey: ed25519PublicKey,
    seedAlone: (seed) => ['pkcs8', concat(ED25519_PKCS8, seed)],
    privateJwk: (seed, publicKey) => ({ ...publicKey, d: toBase64url(seed) }),
    importParameters: { name: 'Ed25519' },
    signParameters: { name: 'Ed25519' },
    finish: (signature) => signature,
    portable: portableEd25519,
  },
  'ML-DSA-44': {
    isSignature: (signature) => signature.length === 2420,
    isSeed: (seed) => seed.length === 32,
    publicKey: mlDsaPublicKey,
    seedAlone: (seed) => ['raw-seed', seed],
    privateJwk: (seed, publicKey) => ({ ...publicKey, priv: toBase64url(seed) }),
    importParameters: { name: 'ML-DSA-44' },
    signParameters: { name: 'ML-DSA-44' },
    finish: (signature) => signature,
    portable: portableMlDsa44,
  },
}

/** WebCrypto's implementation of a row, or the portable one where this host's WebCrypto lacks it. */
export function nativeOrPortable(row: Algorithm): Implementation {
  return {
    importPublic: async (jwk) => {
      const key = await tryImport(row, { ...jwk }, 'verify')
      if (!key) return row.portable.importPublic(jwk)
      return (bytes, signature) => crypto.subtle.verify(row.signParameters, key, own(signature), own(bytes))
    },
    importSeed: async (seed, publicKey, random) => {
      const key = await tryImport(row, row.privateJwk(seed, publicKey), 'sign')
      if (!key) return row.portable.importSeed(seed, publicKey, random)
      return async (bytes) =>
        row.finish(new Uint8Array(await crypto.subtle.sign(row.signParameters, key, own(bytes))))
    },
  }
}

/**
 * The public key of a private one, by WebCrypto where it tells: in JavaScript the first key of a process takes some 30 ms. Whatever
 * is wrong with it there, the same key is computed here.
 */
export async function publicKeyOf(row: Algorithm, seed: Uint8Array): Promise<PublicJwk> {
  if (!row.seedAlone) return row.publicKey(seed)
  const [format, bytes] = row.seedAlone(seed)
  try {
    const key = await crypto.subtle.importKey(format as 'pkcs8', own(bytes), row.importParameters, true, [
      'sign',
    ])
    const { x, pub } = (await crypto.subtle.exportKey('jwk', key)) as JsonWebKey & { pub?: string }
    // Of a seed it is one of prime order, and so not looked at again.
    if (x !== undefined) return { kty: 'OKP', crv: 'Ed25519', x }
    return pub === undefined ? row.publicKey(seed) : { kty: 'AKP', alg: 'ML-DSA-44', pub }
  } catch {
    return row.publicKey(seed)
  }
}

/** Null where this host's WebCrypto lacks the algorithm. */
async function tryImport(
  row: Algorithm,
  jwk: JsonWebKey,
  usage: 'sign' | 'verify',
): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.importKey('jwk', jwk, row.importParameters, false, [usage])
  } catch (cause) {
    // By name: the DOMException of another realm (a worker, a frame) is no instance of this one's.
    if ((cause as { name?: unknown } | null)?.name === 'NotSupportedError') return null
    throw new AmpereError('KEY_MALFORMED', 'a key cannot be imported', { cause })
  }
}

/** The first 32 bytes encode the neutral element, y = 1. */
function isNeutral(signature: Uint8Array): boolean {
  return signature.subarray(0, 32).every((byte, i) => byte === (i === 0 ? 1 : 0))
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

function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}
