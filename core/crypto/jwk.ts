// SPDX-License-Identifier: Apache-2.0
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { canonicalBytes } from '../bytes/canonical-json.ts'
import { fromBase64url } from '../bytes/encoding.ts'
import type { Kid } from '../bytes/ids.ts'
import { concat } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'
import type { PublicJwk, SignatureAlgorithm } from '../ports/keys.ts'
import { digestOf } from './hash.ts'

/** Length in bytes of an ML-DSA-44 public key, FIPS 204 table 2. */
const ML_DSA_44_PUBLIC_BYTES = 1312

/** RFC 7638 thumbprint (SHA-256, base64url); for ML-DSA the members of RFC 9964. */
export function thumbprint(jwk: PublicJwk): Kid {
  const known = THUMBPRINTS.get(jwk)
  if (known !== undefined) return known
  const made = digestOf(canonicalBytes(jwk)) as string as Kid
  THUMBPRINTS.set(jwk, made)
  return made
}

/** Of key objects that were seen; keys are readonly, and each signature asks for the thumbprint of its key twice. */
const THUMBPRINTS = new WeakMap<PublicJwk, Kid>()

/** The one algorithm that a key is for. */
export function algorithmOf(jwk: PublicJwk): SignatureAlgorithm {
  if (jwk.kty === 'EC') return 'ES256'
  return jwk.kty === 'OKP' ? 'Ed25519' : 'ML-DSA-44'
}

/**
 * A public key that has exactly the members that its thumbprint covers, each of the right length,
 * for P-256 a point on the curve, for Ed25519 a canonical point of prime order: on other points
 * implementations of Ed25519 disagree about which signatures are valid, and two verifiers must not.
 * @throws AmpereError KEY_MALFORMED
 */
export function checkPublicJwk(value: unknown): PublicJwk {
  const jwk = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const only = (...names: string[]) => Object.keys(jwk).toSorted().join() === names.toSorted().join()
  if (jwk['kty'] === 'EC' && jwk['crv'] === 'P-256' && only('kty', 'crv', 'x', 'y')) {
    once(`${memberOf(jwk, 'x')}.${memberOf(jwk, 'y')}`, () =>
      checkPoint(bytesOf(jwk['x'], 32), bytesOf(jwk['y'], 32)),
    )
    return { kty: 'EC', crv: 'P-256', x: String(jwk['x']), y: String(jwk['y']) }
  }
  if (jwk['kty'] === 'OKP' && jwk['crv'] === 'Ed25519' && only('kty', 'crv', 'x')) {
    once(memberOf(jwk, 'x'), () => checkEdwardsPoint(bytesOf(jwk['x'], 32)))
    return { kty: 'OKP', crv: 'Ed25519', x: String(jwk['x']) }
  }
  if (jwk['kty'] === 'AKP' && jwk['alg'] === 'ML-DSA-44' && only('kty', 'alg', 'pub')) {
    bytesOf(jwk['pub'], ML_DSA_44_PUBLIC_BYTES)
    return { kty: 'AKP', alg: 'ML-DSA-44', pub: String(jwk['pub']) }
  }
  throw malformed('a public key is not one of ours')
}

/** Keys whose points were checked and are good, by their members: checking one costs as much as three signatures. */
const GOOD = new Set<string>()
const MAX_GOOD = 4096

/** Nothing is kept of a key that is bad, or that is no string of the right length. */
function once(key: string, check: () => void): void {
  if (GOOD.has(key)) return
  check()
  if (GOOD.size >= MAX_GOOD) GOOD.clear()
  GOOD.add(key)
}

function checkPoint(x: Uint8Array, y: Uint8Array): void {
  try {
    p256.Point.fromBytes(concat(new Uint8Array([4]), x, y)).assertValidity()
  } catch (cause) {
    throw malformed('a P-256 key is not on the curve', cause)
  }
}

function checkEdwardsPoint(x: Uint8Array): void {
  let isPrimeOrder: boolean
  try {
    const point = ed25519.Point.fromBytes(x)
    isPrimeOrder = !point.is0() && point.isTorsionFree()
  } catch (cause) {
    throw malformed('an Ed25519 key is not a point in canonical form', cause)
  }
  if (!isPrimeOrder) throw malformed('an Ed25519 key is not of prime order')
}

/** A member as text; anything but text is no key, and is not mistaken for one that was checked. */
function memberOf(jwk: Record<string, unknown>, name: string): string {
  const value = jwk[name]
  if (typeof value === 'string') return value
  throw malformed('a key member is not base64url')
}

function bytesOf(value: unknown, length: number): Uint8Array {
  try {
    const bytes = fromBase64url(typeof value === 'string' ? value : '')
    if (bytes.length === length) return bytes
  } catch (cause) {
    throw malformed('a key member is not base64url', cause)
  }
  throw malformed(`a key member is not ${length} bytes`)
}

function malformed(what: string, cause?: unknown): AmpereError {
  return new AmpereError('KEY_MALFORMED', what, { cause })
}
