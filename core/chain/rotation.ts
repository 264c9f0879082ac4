// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../bytes/timestamp.ts'
import { recordOf, type RegistryView } from '../registry/snapshot.ts'
import { readersOf, type ControlState } from './state.ts'

/** A reader that still holds the keys of the current epoch and should not. */
export interface RotationDue {
  readonly institution: InstitutionId
  /** `removed`: the registry no longer lists it. `expired`: its grant's `until` has passed. */
  readonly reason: 'removed' | 'expired'
}

/** Why a chain needs new keys. `revoked`: an app instance of a reader that stays was revoked since the keys were made. */
export interface NewKeysDue {
  readonly institution: InstitutionId
  readonly reason: RotationDue['reason'] | 'revoked'
}

/**
 * Readers that the next rotation drops: those that the registry removed, and grants that have ended. A rotation, which any
 * single controller may author, may drop no others.
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

/** When the keys of a chain were made, and what the registry revoked, as one verifier has both. */
export interface KeysMade {
  /** Height of the registry that the block with the current epoch's keys names. */
  readonly registry: number
  /** By institution, the height of the registry's newest block that revoked one of its app instances. */
  readonly revoked: ReadonlyMap<InstitutionId, number>
  /** Height of the registry that the block names by which an institution became the reader that it is: before it, it had no keys to lose. */
  readonly joined: (institution: InstitutionId) => number
}

/**
 * Why a chain needs a new epoch, each institution once: what `rotationDue` says, and readers of whose app instances one was
 * revoked after the keys were made and it had them: whoever has it may have the keys of this epoch, and gets none of the next.
 */
export function newKeysDue(
  state: ControlState,
  records: RegistryView,
  time: Timestamp,
  made: KeysMade,
): readonly NewKeysDue[] {
  const dropped = rotationDue(state, records, time)
  const gone = new Set<string>(dropped.map(({ institution }) => institution))
  const readers = new Set(readersOf(state))
  const revoked = [...made.revoked]
    .filter(([id, height]) => height > made.registry && height <= records.head.height && readers.has(id))
    .filter(([id, height]) => !gone.has(id) && height > made.joined(id))
    .map(([institution]) => ({ institution, reason: 'revoked' as const }))
  return [...dropped, ...revoked.toSorted((a, b) => (a.institution < b.institution ? -1 : 1))]
}

/**
 * Controllers that the registry removed. They read as long as they are listed, and no rotation takes them off the list:
 * that is a change, which the threshold approves.
 */
export function removedControllers(state: ControlState, records: RegistryView): readonly InstitutionId[] {
  return state.controllers.members.flatMap((member) =>
    member.kind === 'institution' && recordOf(records, 'institution', member.institution)?.status !== 'active'
      ? [member.institution]
      : [],
  )
}
