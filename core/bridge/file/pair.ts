// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import type { Bridge } from '../bridge.ts'

/** A code by which another institution joins a patient's record. @throws AmpereError NOT_FOUND */
export async function issuePairingCode(bridge: Bridge, patientId: string): Promise<string> {
  const { chain } = await bridge.record(patientId)
  return bridge.ports.store.pairing.issue(chain)
}

/**
 * Lets the institution that signed `request` join the record behind its code. Asking again gives the same answer.
 * @throws AmpereError UNAUTHORIZED, NOT_FOUND (unknown, used or expired code)
 */
export async function acceptPairing(bridge: Bridge, request: string): Promise<ChainId> {
  const { client, store } = bridge.ports
  const { institution, code } = await client.openPairing(request)
  const chain = await store.pairing.redeem(code, institution)
  await client.share(chain, institution)
  return chain
}

/**
 * Links this institution's patient to a record that it was let into, once it is seen that it opens.
 * @throws AmpereError ALREADY_EXISTS when the patient has another record here, or another patient has this one
 */
export async function joinRecord(bridge: Bridge, patientId: string, chain: ChainId): Promise<void> {
  const { client, store } = bridge.ports
  await client.read(chain)
  // A code may be used again by the institution that used it: with another id it would mix two people's records.
  const linked = await store.patients.list()
  if (linked.some((other) => other.chain === chain && other.id !== patientId))
    throw new AmpereError('ALREADY_EXISTS', 'another patient of this institution has this record')
  await store.patients.link(patientId, chain)
}
