// SPDX-License-Identifier: Apache-2.0
import { createKeyWrapper } from '#core/crypto/key-wrap.ts'
import type { Random, Wrapper } from '#core/ports/keys.ts'
import { checkUnwraps, type KeyName } from '#core/ports/needs.ts'

/** AES key wrap under a new key, gone with the process. @throws AmpereError KEY_UNAVAILABLE for a key of another use */
export async function memoryUnwrapper(name: KeyName, random: Random): Promise<Wrapper> {
  checkUnwraps(name)
  return createKeyWrapper(random(32))
}
