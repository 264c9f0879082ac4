// SPDX-License-Identifier: Apache-2.0
import { generateSoftwareSigner } from '#core/crypto/signature.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import { signingAlgorithm, type KeyName } from '#core/ports/needs.ts'

/** A signer with a new key, gone with the process. @throws AmpereError KEY_UNAVAILABLE for a key of another use */
export async function memorySigner(name: KeyName, random: Random): Promise<Signer> {
  return generateSoftwareSigner(signingAlgorithm(name), random)
}
