// SPDX-License-Identifier: Apache-2.0
import type { Signer } from '#core/ports/keys.ts'
import { signingAlgorithm, type KeyName } from '#core/ports/needs.ts'
import type { Keyring } from './keys/keyring.ts'

/** A signer with a key of the key file, made on first use. @throws AmpereError KEY_UNAVAILABLE, STORE_CORRUPT */
export async function localSigner(keyring: Keyring, name: KeyName): Promise<Signer> {
  return keyring.signer(name, signingAlgorithm(name))
}
