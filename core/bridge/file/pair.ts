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
  const { chain, isSettled } = await store.pairing.redeem(code, institution)
  if (isSettled) return chain
  await client.share(chain, institution)
  await store.pairing.settle(code)
  return chain
}

/**
 * Links this institution's patient to a record that it was let into, once it is seen that it opens.
 * @throws AmpereError ALREADY_EXISTS when the patient has another record here, or the record is another patient's:
 * whoever answers a code names the record, and must not be able to mix two patients
 */
export async function joinRecord(bridge: Bridge, patientId: string, chain: ChainId): Promise<void> {
  await bridge.ports.client.read(chain)
  const { patients } = bridge.ports.store
  if ((await patients.list()).some((known) => known.chain === chain && known.id !== patientId))
    throw new AmpereError('ALREADY_EXISTS', 'the record is linked to another patient here')
  await patients.link(patientId, chain)
}
