// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../bytes/ids.ts'

/** Signature algorithms as named in JOSE (RFC 7518, RFC 8037, RFC 9964). */
export type SignatureAlgorithm = 'ES256' | 'Ed25519' | 'ML-DSA-44'

/** Public signature key as a JWK with exactly the members that its RFC 7638 thumbprint covers. */
export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  | { readonly kty: 'AKP'; readonly alg: 'ML-DSA-44'; readonly pub: string }

/**
 * Signs with one key that has one use. The key never leaves what is behind it (KMS, key file).
 * Signing the same bytes twice may give two signatures; ES256 results are r || s with low s.
 * @throws AmpereError KEY_UNAVAILABLE
 */
export interface Signer {
  readonly alg: SignatureAlgorithm
  readonly kid: Kid
  readonly publicKey: PublicJwk
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/**
 * Unwraps a 32-byte seed into memory, with one key. Trusted: what is behind it can open what the seed opens.
 * @throws AmpereError OPEN_FAILED, one message whatever is wrong with the bytes; KEY_UNAVAILABLE
 */
export interface Unwrapper {
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>
}

/** Also wraps: what sets a deployment up holds it, roles hold the half that unwraps. */
export interface Wrapper extends Unwrapper {
  /** The seed as only the same key unwraps it. @throws RangeError for a seed that is not 32 bytes */
  wrap(seed: Uint8Array): Promise<Uint8Array>
}

/** Milliseconds since 1970 UTC. */
export type Now = () => number
/** `length` bytes from a cryptographic source. */
export type Random = (length: number) => Uint8Array<ArrayBuffer>
/** Fetch of the web platform; the only way out of core. */
export type Fetch = (request: Request) => Promise<Response>
