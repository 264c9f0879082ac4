// SPDX-License-Identifier: Apache-2.0
import type { WrappedKeys } from '#adapters/wrapped/wrapped-keys.ts'
import { AmpereError } from '#core/errors.ts'
import type { Signer } from '#core/ports/keys.ts'
import { signingAlgorithm, type KeyName } from '#core/ports/needs.ts'
import type { Kms } from './clients/kms.ts'
import type { AwsKeyNaming } from './clients/naming.ts'
import { kmsSigner } from './keys/kms-signer.ts'

/**
 * A signer over the key of KMS that is named, or over a software key: KMS has all algorithms, but not in every region, and
 * each signature of it costs a request. @throws AmpereError KEY_UNAVAILABLE, CONFIGURATION
 */
export async function awsSigner(
  kms: () => Promise<Kms>,
  naming: AwsKeyNaming,
  software: WrappedKeys,
  name: KeyName,
): Promise<Signer> {
  const alg = signingAlgorithm(name)
  const keyId = naming.kms[name]
  if (keyId !== undefined) return kmsSigner(await kms(), alg, keyId)
  // What people and institutions sign by never leaves KMS.
  if (alg === 'ES256')
    throw new AmpereError('KEY_UNAVAILABLE', `this deployment names no key of KMS for ${name}`)
  return software(name)
}
