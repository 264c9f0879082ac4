// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../bytes/timestamp.ts'
import { recordOf, type RegistryView } from '../registry/snapshot.ts'
import type { ControlState } from './state.ts'

/** A reader that still holds the keys of the current epoch and should not. */
export interface RotationDue {
  readonly institution: InstitutionId
  /** `removed`: the registry no longer lists it. `expired`: its grant's `until` has passed. */
  readonly reason: 'removed' | 'expired'
}

/**
 * Why a chain needs new keys: readers that the registry removed, and grants that have ended. Each may be
 * dropped by a rotation, which any single controller may author; until one does, rotation is due.
 */
export function rotationDue(
  state: ControlState,
  records: RegistryView,
  time: Timestamp,
): readonly RotationDue[] {
  return state.grants.flatMap((grant): RotationDue[] => {
    const { institution } = grant
    if (recordOf(records, 'institution', institution)?.status !== 'active')
      return [{ institution, reason: 'removed' }]
    const ended = grant.until !== null && timestampMs(grant.until) <= timestampMs(time)
    return ended ? [{ institution, reason: 'expired' }] : []
  })
}
