// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../../bytes/ids.ts'
import { isAmpereError } from '../../../errors.ts'
import type { Connection } from '../../connect.ts'
import { syncRegistry } from '../../read/replica.ts'
import { rotateReplica } from '../change-chain.ts'
import { chainDue, revokedFor } from './chain-due.ts'

/** How often a chain is looked at again because another block came first, or because an answer was lost. */
const MAX_ATTEMPTS = 5
/** After these the chain itself says whether the rotation is there. */
const UNKNOWN_OUTCOMES = ['UPSTREAM_FAILED', 'STORE_UNAVAILABLE'] as const

/** What a record and its access chain need. */
export interface RecordDue {
  /** The chains for which new keys are due and which this institution controls. */
  readonly chains: readonly ChainId[]
  /** Institutions for which they are, each once. */
  readonly readers: readonly string[]
  /** Why not all of it can be done here: `not-controlled`, `controller-removed`; null where it can. */
  readonly why: 'not-controlled' | 'controller-removed' | null
}

/** Looks at a record and its access chain. @throws AmpereError as reading them does */
export async function recordDue(connection: Connection, record: ChainId): Promise<RecordDue> {
  const replica = await connection.replica(record)
  const { access } = replica.link.state
  const chains: ChainId[] = []
  const readers = new Set<string>()
  let why: RecordDue['why'] = null
  for (const chain of access === null ? [record] : [record, access]) {
    const found = chainDue(connection, chain === record ? replica : await connection.replica(chain))
    for (const { institution } of found.due) readers.add(institution)
    for (const institution of found.removedControllers) readers.add(institution)
    if (found.due.length > 0 && found.isController) chains.push(chain)
    if (found.due.length > 0 && !found.isController) why = 'not-controlled'
    else if (found.removedControllers.length > 0) why ??= 'controller-removed'
  }
  return { chains, readers: [...readers].toSorted(), why }
}

/**
 * Gives a chain new keys if they are due, and else does nothing: so it may be repeated, and done by several at once. Where
 * another block came first, or an answer was lost, the chain is looked at again.
 * @returns whether this identity's block brought the keys that the chain has now; false where none were due
 * @throws AmpereError as `rotateReplica` does
 */
export async function rotateIfDue(connection: Connection, chain: ChainId): Promise<boolean> {
  let isUnknown = false
  for (let attempt = 1; ; attempt++) {
    const replica = await connection.replica(chain)
    if (chainDue(connection, replica).due.length === 0) {
      const made = replica.notes[replica.link.state.epoch.height]
      return isUnknown && made?.kid === connection.ports.identity.signer.kid
    }
    try {
      await rotateReplica(connection, replica)
      return true
    } catch (error) {
      const isLost = isAmpereError(error, ...UNKNOWN_OUTCOMES)
      if ((!isLost && !isAmpereError(error, 'HEAD_CONFLICT')) || attempt === MAX_ATTEMPTS) throw error
      isUnknown ||= isLost
    }
  }
}

/** What a controller's job needs of a connection to give records new keys. */
export interface Rotator {
  /** Reads the registry's news. @returns what changes whenever an instance is revoked or an institution removed */
  readonly mark: () => Promise<string>
  readonly due: (record: ChainId) => Promise<RecordDue>
  readonly rotate: (chain: ChainId) => Promise<boolean>
}

/** Rotates over one connection. */
export function rotatorOf(connection: Connection): Rotator {
  return {
    mark: async () => {
      await syncRegistry(connection.sync)
      return revokedFor(connection).mark
    },
    due: (record) => recordDue(connection, record),
    rotate: (chain) => rotateIfDue(connection, chain),
  }
}
