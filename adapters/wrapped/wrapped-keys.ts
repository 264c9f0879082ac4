// SPDX-License-Identifier: Apache-2.0
import { generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import { onceEach } from '#core/order/once.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import { signingAlgorithm, type KeyName } from '#core/ports/needs.ts'

/** What a provider's key service does for software keys: it binds each wrapped seed to the name of its key. */
export interface WrappingKey {
  wrap(name: KeyName, seed: Uint8Array): Promise<Uint8Array>
  /** @throws AmpereError OPEN_FAILED for what was wrapped under another name or key, KEY_UNAVAILABLE */
  unwrap(name: KeyName, wrapped: Uint8Array): Promise<Uint8Array>
}

/** Where wrapped seeds are kept. First writer wins, so that all processes have one key by each name. */
export interface KeptSeeds {
  read(name: KeyName): Promise<Uint8Array | null>
  keep(name: KeyName, wrapped: Uint8Array): Promise<'kept' | 'exists'>
}

/** What software keys are made of. */
export interface WrappedKeysOptions {
  readonly wrapping: WrappingKey
  readonly kept: KeptSeeds
  readonly random: Random
  /** Whether a key that is not kept yet is made. Only what sets a deployment up makes keys; roles use those there are. */
  readonly makes: boolean
}

/** The signer of a named software key, whose seed a provider's key wraps. */
export type WrappedKeys = (name: KeyName) => Promise<Signer>

/**
 * Software keys for what a provider's key service cannot sign: each seed lies wrapped in a store and is unwrapped into memory
 * when first used, once per process. What failed is tried anew by the next call.
 * Rejects with AmpereError KEY_UNAVAILABLE for a key of another use, one that is not there, and one that does not open.
 */
export function openWrappedKeys(options: WrappedKeysOptions): WrappedKeys {
  return onceEach((name) => openSigner(options, name))
}

async function openSigner(
  { wrapping, kept, random, makes }: WrappedKeysOptions,
  name: KeyName,
): Promise<Signer> {
  const alg = signingAlgorithm(name)
  let wrapped = await kept.read(name)
  if (!wrapped && makes) {
    await kept.keep(name, await wrapping.wrap(name, generateSoftwareKey(alg, random).seed))
    // Whoever was first made the key; a rejected call may have been.
    wrapped = await kept.read(name)
  }
  if (!wrapped)
    throw new AmpereError('KEY_UNAVAILABLE', `the key ${name} was not made when this deployment was set up`)
  return softwareSigner(alg, await wrapping.unwrap(name, wrapped))
}
