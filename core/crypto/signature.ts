// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../bytes/ids.ts'
import type { PublicJwk, Random, SignatureAlgorithm, Signer } from '../ports/keys.ts'
import { AmpereError } from '../errors.ts'
import { ALGORITHMS, nativeOrPortable, publicKeyOf } from './algorithms.ts'
import { algorithmOf, checkPublicJwk, thumbprint } from './jwk.ts'

export { normalizeLowS } from './low-s.ts'
/** What the functions here speak of, for rooms that may import this room but not the ports. */
export type { PublicJwk, Signer } from '../ports/keys.ts'

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

/** Which implementation to use, and with what. */
export interface SignatureOptions {
  /** The JavaScript implementation even where WebCrypto has the algorithm; both give the same answers. */
  readonly portable?: boolean
  /** Hedges ML-DSA signatures of the JavaScript implementation, which are deterministic without it. */
  readonly random?: Random
}

/** Imports a public key. @throws AmpereError KEY_MALFORMED */
export async function createVerifier(jwk: PublicJwk, options: SignatureOptions = {}): Promise<Verifier> {
  const checked = checkPublicJwk(jwk)
  const alg = algorithmOf(checked)
  const row = ALGORITHMS[alg]
  const verify = await (options.portable ? row.portable : nativeOrPortable(row)).importPublic(checked)
  return {
    alg,
    kid: thumbprint(checked),
    verify: (bytes, signature) =>
      row.isSignature(signature) ? verify(bytes, signature) : Promise.resolve(false),
  }
}

/** A bounded cache of verifiers. */
export function createVerifiers(limit: number = DEFAULT_LIMIT): Verifiers {
  const kept = new Map<Kid, Promise<Verifier>>()
  let newest: Kid | null = null
  return {
    get: (jwk) => {
      const kid = thumbprint(jwk)
      const known = kept.get(kid)
      // Blocks of one chain are mostly by one author.
      if (known && kid === newest) return known
      const verifier = known ?? createVerifier(jwk)
      kept.delete(kid)
      kept.set(kid, verifier)
      newest = kid
      if (known) return known
      // A failure is not kept: the next call may have more luck, and a bad key must not crowd out a good one.
      verifier.catch(() => kept.delete(kid))
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

/**
 * A signer over a key in memory: the local key file, tests, wrapped log keys.
 * @throws AmpereError KEY_MALFORMED for bytes that are no private key of the algorithm
 */
export async function softwareSigner(
  alg: SignatureAlgorithm,
  seed: Uint8Array,
  options: SignatureOptions = {},
): Promise<Signer> {
  const row = ALGORITHMS[alg]
  if (!row.isSeed(seed)) throw new AmpereError('KEY_MALFORMED', 'a private key is not one of its algorithm')
  const publicKey = options.portable ? row.publicKey(seed) : await publicKeyOf(row, seed)
  return signerOf(alg, seed, publicKey, options)
}

/** A signer over a new key that nobody keeps: gone with the process. */
export async function generateSoftwareSigner(alg: SignatureAlgorithm, random: Random): Promise<Signer> {
  const { seed, publicKey } = generateSoftwareKey(alg, random)
  return signerOf(alg, seed, publicKey, {})
}

async function signerOf(
  alg: SignatureAlgorithm,
  seed: Uint8Array,
  publicKey: PublicJwk,
  options: SignatureOptions,
): Promise<Signer> {
  const row = ALGORITHMS[alg]
  const implementation = options.portable ? row.portable : nativeOrPortable(row)
  const sign = await implementation.importSeed(seed, publicKey, options.random)
  return { alg, publicKey, kid: thumbprint(publicKey), sign }
}
