// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../bytes/ids.ts'
import type { PublicJwk, Random, SignatureAlgorithm, Signer } from '../ports/keys.ts'
import { ALGORITHMS } from './algorithms.ts'
import { algorithmOf, checkPublicJwk, thumbprint } from './jwk.ts'

/** Verifies with one imported public key. */
export interface Verifier {
  readonly alg: SignatureAlgorithm
  readonly kid: Kid
  verify(bytes: Uint8Array, signature: Uint8Array): Promise<boolean>
}

/** Imported public keys, the most recently used kept: importing costs more than verifying. */
export interface Verifiers {
  get(jwk: PublicJwk): Promise<Verifier>
}

/** Keys kept by `createVerifiers` unless another limit is given. */
const DEFAULT_LIMIT = 1024

/** Imports a public key. @throws AmpereError KEY_MALFORMED */
export async function createVerifier(jwk: PublicJwk): Promise<Verifier> {
  const checked = checkPublicJwk(jwk)
  const alg = algorithmOf(checked)
  return { alg, kid: thumbprint(checked), verify: await ALGORITHMS[alg].importPublic(checked) }
}

/** A bounded cache of verifiers. */
export function createVerifiers(limit: number = DEFAULT_LIMIT): Verifiers {
  const kept = new Map<Kid, Promise<Verifier>>()
  return {
    get: (jwk) => {
      const kid = thumbprint(jwk)
      const verifier = kept.get(kid) ?? createVerifier(jwk)
      kept.delete(kid)
      kept.set(kid, verifier)
      const oldest = kept.size > limit ? kept.keys().next().value : undefined
      if (oldest !== undefined) kept.delete(oldest)
      return verifier
    },
  }
}

/** A new key as its 32-byte seed (Ed25519, ML-DSA) or private scalar (P-256). */
export function generateSoftwareKey(
  alg: SignatureAlgorithm,
  random: Random,
): {
  readonly alg: SignatureAlgorithm
  readonly seed: Uint8Array<ArrayBuffer>
  readonly publicKey: PublicJwk
} {
  for (;;) {
    const seed = random(32)
    // A P-256 scalar outside 1..n-1 is drawn again (about one in 2^32).
    if (!ALGORITHMS[alg].isSeed(seed)) continue
    return { alg, seed, publicKey: ALGORITHMS[alg].publicKey(seed) }
  }
}

/** A signer over a key in memory: the local key file, tests, wrapped log keys. */
export async function softwareSigner(alg: SignatureAlgorithm, seed: Uint8Array): Promise<Signer> {
  const publicKey = ALGORITHMS[alg].publicKey(seed)
  return { alg, publicKey, kid: thumbprint(publicKey), sign: await ALGORITHMS[alg].importSeed(seed) }
}
