// SPDX-License-Identifier: Apache-2.0
import { createKeyWrapper } from '#core/crypto/key-wrap.ts'
import type { Wrapper } from '#core/ports/keys.ts'
import { checkUnwraps, type KeyName } from '#core/ports/needs.ts'
import type { Keyring } from './keys/keyring.ts'

/** AES key wrap under a key of the key file, made on first use. @throws AmpereError KEY_UNAVAILABLE, STORE_CORRUPT */
export async function localUnwrapper(keyring: Keyring, name: KeyName): Promise<Wrapper> {
  checkUnwraps(name)
  return createKeyWrapper(keyring.wrappingKey(name))
}
