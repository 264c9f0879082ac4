// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../../../bytes/ids.ts'
import { toTimestamp } from '../../../bytes/timestamp.ts'
import { newKeysDue, removedControllers, type NewKeysDue } from '../../../chain/rotation.ts'
import { memberName } from '../../../chain/state.ts'
import { AmpereError } from '../../../errors.ts'
import { revokedIn, type Revoked } from '../../../registry/revoked.ts'
import type { RegistryState } from '../../../registry/state.ts'
import type { Connection } from '../../connect.ts'
import type { Replica } from '../../read/replica.ts'

/** Why a chain needs new keys, and whether this identity may give it some. */
export interface ChainDue {
  /** Empty: nothing is due. */
  readonly due: readonly NewKeysDue[]
  /** Controllers that the registry removed, which read until somebody changes the list. */
  readonly removedControllers: readonly InstitutionId[]
  readonly isController: boolean
}

/** States are immutable, and each is looked through once. */
const KNOWN = new WeakMap<RegistryState, Revoked>()

/** What the newest registry of a connection says was revoked. @throws AmpereError NOT_FOUND while it has none */
export function revokedFor({ sync }: Pick<Connection, 'sync'>): Revoked {
  const state = sync.registry.link()?.state
  if (!state) throw new AmpereError('NOT_FOUND', 'the registry is empty')
  const known = KNOWN.get(state) ?? revokedIn(state)
  KNOWN.set(state, known)
  return known
}

/**
 * Looks at a verified chain at the head of the registry that its home states, by which a rotation is judged. A chain
 * that has ended takes no block any more, so that nothing is due.
 * @throws AmpereError REGISTRY_STALE
 */
export function chainDue(connection: Connection, replica: Replica): ChainDue {
  const { state } = replica.link
  const { ports, sync } = connection
  const records = sync.registry.viewAt(replica.head.registry)
  if (!records) throw new AmpereError('REGISTRY_STALE', 'the registry head is not known')
  const self = ports.identity.institution ?? ports.identity.signer.kid
  const isController = state.controllers.members.some((member) => memberName(member) === self)
  if (state.ended) return { due: [], removedControllers: [], isController }
  const made = {
    registry: replica.notes[state.epoch.height]?.registry ?? 0,
    revoked: revokedFor(connection).heights,
    joined: (institution: InstitutionId) => joinedAt(replica, institution),
  }
  return {
    due: newKeysDue(state, records, toTimestamp(ports.now()), made),
    removedControllers: removedControllers(state, records),
    isController,
  }
}

/** Height of the registry when an institution became a reader for the last time. */
function joinedAt({ readers, notes }: Replica, institution: InstitutionId): number {
  const before = readers.findLastIndex((span) => !span.institutions.includes(institution))
  return notes[readers[before + 1]?.height ?? 0]?.registry ?? 0
}
