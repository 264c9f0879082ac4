// SPDX-License-Identifier: Apache-2.0
import { generateSoftwareSigner } from '#core/crypto/signature.ts'
import type { Random, SignatureAlgorithm, Signer } from '#core/ports/keys.ts'
import { signingAlgorithm, type Platform } from '#core/ports/needs.ts'

const kept = new Map<string, Promise<Signer>>()

/** Random bytes that are the same in every run. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1
  return (length) =>
    Uint8Array.from({ length }, () => {
      // xorshift32: for tests only, never for keys that protect anything.
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return (state >>> 0) & 0xff
    })
}

/**
 * The signer that this name has in this world, always the same: making keys takes longer than most tests, and worlds are
 * made by the hundred. Whether it was made before changes nothing.
 */
export function keptSigner(world: number | string, name: string, alg: SignatureAlgorithm): Promise<Signer> {
  const at = `${world}/${name}/${alg}`
  const known = kept.get(at) ?? generateSoftwareSigner(alg, seededRandom(seedOf(at)))
  kept.set(at, known)
  return known
}

/** A platform whose signers are those of a world. */
export function withKeptKeys(platform: Platform, world: number | string): Platform {
  return { ...platform, signer: (name) => keptSigner(world, name, signingAlgorithm(name)) }
}

/** FNV-1a, 32 bits. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
