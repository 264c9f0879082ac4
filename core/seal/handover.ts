// SPDX-License-Identifier: Apache-2.0
import { frame } from '../bytes/frame.ts'
import type { Digest, InstitutionId } from '../bytes/ids.ts'
import { digestOf } from '../crypto/hash.ts'
import { hpkeOpen, hpkeSeal, sealingPublicKey } from '../crypto/hpke.ts'
import { AmpereError } from '../errors.ts'

/** For what an institution's sealing seed is handed over: one request to be enrolled. */
export interface Handover {
  readonly registry: Digest
  readonly institution: InstitutionId
  /** Id of the request. */
  readonly enrolment: Digest
}

/** Seals an institution's 32-byte sealing seed to the key of a request. @throws AmpereError KEY_MALFORMED */
export function sealSeed(handover: Handover, sealTo: Uint8Array, seed: Uint8Array): Promise<Uint8Array> {
  return hpkeSeal(sealTo, handoverInfo(handover), seed)
}

/**
 * Opens a seed that was handed over. Anybody can seal to a key, so that only a seed counts whose public key the registry
 * lists as `expected` (SHA-256 of it) for the institution.
 * @throws AmpereError OPEN_FAILED, also for another seed
 */
export async function openSeed(
  handover: Handover,
  openWith: Uint8Array,
  sealed: Uint8Array,
  expected: Digest,
): Promise<Uint8Array> {
  const seed = await hpkeOpen(openWith, handoverInfo(handover), sealed)
  if (seed.length === 32 && digestOf(sealingPublicKey(seed)) === expected) return seed
  throw new AmpereError('OPEN_FAILED', 'sealed bytes do not open')
}

function handoverInfo({ registry, institution, enrolment }: Handover): Uint8Array {
  return frame('ampere-enrolment-seed/v1', registry, institution, enrolment)
}
