// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { Wrapper } from '#core/ports/keys.ts'
import { checkUnwraps, type KeyName } from '#core/ports/needs.ts'
import type { Kms } from './clients/kms.ts'
import type { AwsKeyNaming } from './clients/naming.ts'
import { unwrapSeed, wrapSeed } from './keys/kms-wrap.ts'

/** Encrypt and Decrypt of a symmetric key of KMS. @throws AmpereError KEY_UNAVAILABLE, also for a key of another use */
export async function awsUnwrapper(
  kms: () => Promise<Kms>,
  naming: AwsKeyNaming,
  name: KeyName,
): Promise<Wrapper> {
  checkUnwraps(name)
  const keyId = naming.kms[name]
  if (keyId === undefined)
    throw new AmpereError('KEY_UNAVAILABLE', `this deployment names no key of KMS for ${name}`)
  return {
    wrap: async (seed) => wrapSeed(await kms(), keyId, name, seed),
    unwrap: async (wrapped) => unwrapSeed(await kms(), keyId, name, wrapped),
  }
}
