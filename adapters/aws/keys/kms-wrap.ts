// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { KeyName } from '#core/ports/needs.ts'
import type { Kms } from '../clients/kms.ts'
import { isAnswer } from '../errors.ts'

const SEED_BYTES = 32
/** What KMS decrypts at most. */
const MAX_WRAPPED_BYTES = 6144

/** What KMS authenticates beside the seed, and writes to its audit trail: one key's seed never opens as another's. */
function contextOf(name: KeyName): Readonly<Record<string, string>> {
  return { 'ampere-key': name }
}

/** @throws RangeError for a seed that is not 32 bytes; AmpereError KEY_UNAVAILABLE */
export function wrapSeed(kms: Kms, keyId: string, name: KeyName, seed: Uint8Array): Promise<Uint8Array> {
  if (seed.length !== SEED_BYTES) throw new RangeError('a key to wrap is 32 bytes')
  return kms.encrypt(keyId, contextOf(name), new Uint8Array(seed))
}

/** @throws AmpereError OPEN_FAILED, one message whatever is wrong with the bytes; KEY_UNAVAILABLE */
export async function unwrapSeed(
  kms: Kms,
  keyId: string,
  name: KeyName,
  wrapped: Uint8Array,
): Promise<Uint8Array> {
  if (wrapped.length === 0 || wrapped.length > MAX_WRAPPED_BYTES) throw closed()
  let seed: Uint8Array
  try {
    seed = await kms.decrypt(keyId, contextOf(name), new Uint8Array(wrapped))
  } catch (error) {
    if (isAnswer(error, 'InvalidCiphertextException', 'IncorrectKeyException')) throw closed(error)
    throw error
  }
  if (seed.length !== SEED_BYTES) throw closed()
  return seed
}

function closed(cause?: unknown): AmpereError {
  return new AmpereError('OPEN_FAILED', 'a wrapped key does not open', { cause })
}
