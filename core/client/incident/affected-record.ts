// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { Connection } from '../connect.ts'
import { affectedChain, type AffectedChain } from './affected-chain.ts'
import { knownReadings, type KnownReadings } from './readings.ts'
import type { Subject } from './subject.ts'
import type { TimeWindow } from './window.ts'

/** A record that an incident touches, with its access chain. */
export interface AffectedRecord {
  readonly record: AffectedChain
  /** Null where the record has none. */
  readonly access: AffectedChain | null
  /** Readings that the subject's keys entered; null where this institution may not open the access chain, or there is none. */
  readonly readings: KnownReadings | null
}

/** Looks at a record and its access chain. @throws AmpereError as reading them does */
export async function affectedRecord(
  connection: Connection,
  chain: ChainId,
  subject: Subject,
  window: TimeWindow,
): Promise<AffectedRecord> {
  const record = await affectedChain(connection, chain, subject, window)
  const id = (await connection.replica(chain)).link.state.access
  if (id === null) return { record, access: null, readings: null }
  const access = await affectedChain(connection, id, subject, window)
  const view = await connection.read(id)
  // Who may only enter readings there opens none.
  const isOpen = view.closed.every(({ status }) => status !== 'not-granted')
  return { record, access, readings: isOpen ? knownReadings(view, subject, window) : null }
}

/** Whether the subject wrote to it, could open something of it, or entered a reading, in the window. */
export function isTouched({ record, access, readings }: AffectedRecord): boolean {
  const chains = access ? [record, access] : [record]
  const isOfChain = chains.some((chain) => chain.written.length > 0 || chain.couldOpen.length > 0)
  return isOfChain || (readings?.by.length ?? 0) > 0
}
