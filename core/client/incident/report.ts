// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import type { RegistryHead } from '../../block/block.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { institutionOf } from '../acts/submit.ts'
import type { Connection } from '../connect.ts'
import { syncRegistry } from '../read/replica.ts'
import { affectedRecord, isTouched, type AffectedRecord } from './affected-record.ts'
import { notKnown, type Unknown } from './not-known.ts'
import { subjectOf, type Subject, type Suspect } from './subject.ts'
import type { TimeWindow } from './window.ts'

/** What an institution can say of an incident. Holds no contents, no patient's name and no resource's. */
export interface IncidentReport {
  readonly v: 1
  readonly made: Timestamp
  readonly by: string
  /** The head of the registry that revocations were read at. */
  readonly asOf: RegistryHead
  readonly subject: Subject
  readonly window: { readonly from: Timestamp | null; readonly to: Timestamp | null }
  /** How many records were looked at. */
  readonly lookedAt: number
  /** Those that the subject wrote to, or could open, in the window. */
  readonly records: readonly AffectedRecord[]
  /** Records that could not be looked at, by the code of the error. */
  readonly failed: readonly { readonly chain: ChainId; readonly code: string }[]
  readonly notKnown: readonly Unknown[]
}

/**
 * Reports what a lost key, app instance or institution could do to the records that this institution knows. One that cannot be
 * read is listed, and does not keep the others from being reported.
 * @throws AmpereError NOT_FOUND for a suspect that the registry never had; KEY_UNAVAILABLE
 */
export async function incidentReport(
  connection: Connection,
  chains: readonly ChainId[],
  suspect: Suspect,
  window: TimeWindow,
): Promise<IncidentReport> {
  await syncRegistry(connection.sync)
  const state = connection.sync.registry.link()?.state
  if (!state) throw new AmpereError('NOT_FOUND', 'the registry is empty')
  const subject = subjectOf(state, suspect)
  const records: AffectedRecord[] = []
  const failed: { chain: ChainId; code: string }[] = []
  for (const chain of new Set(chains)) {
    try {
      const found = await affectedRecord(connection, chain, subject, window)
      if (isTouched(found)) records.push(found)
    } catch (error) {
      if (!isAmpereError(error) || error.code === 'KEY_UNAVAILABLE') throw error
      failed.push({ chain, code: error.code })
    }
  }
  return {
    v: 1,
    made: toTimestamp(connection.ports.now()),
    by: institutionOf(connection),
    asOf: connection.sync.registry.newest().head,
    subject,
    window: { from: stamp(window.fromMs), to: stamp(window.toMs) },
    lookedAt: new Set(chains).size,
    records,
    failed,
    notKnown: notKnown({ hasPolicy: connection.ports.pins.policy !== null, subject, records, failed }),
  }
}

function stamp(ms: number | null): Timestamp | null {
  return ms === null ? null : toTimestamp(ms)
}
