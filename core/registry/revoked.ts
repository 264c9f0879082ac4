// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../bytes/canonical-json.ts'
import type { Digest, InstitutionId } from '../bytes/ids.ts'
import { digestOf } from '../crypto/hash.ts'
import type { KeyRecord } from './records.ts'
import { getRecord, recordsIn, type RegistryState } from './state.ts'

/** What the registry took out of use that could open records: whose keys, and at which of its heights last. */
export interface Revoked {
  /** By institution, the height of the registry's newest block that revoked one of its app instances. */
  readonly heights: ReadonlyMap<InstitutionId, number>
  /** Changes whenever an instance is revoked or an institution removed, and with nothing else. */
  readonly mark: Digest
}

/** Reads the whole registry once: its state has no index by institution. */
export function revokedIn(state: RegistryState): Revoked {
  const heights = new Map<InstitutionId, number>()
  const removed: InstitutionId[] = []
  for (const record of recordsIn(state)) {
    if (record.kind === 'institution' && record.status === 'removed') removed.push(record.id)
    // Heads are signed with other keys, which open nothing; nor do those that change the registry.
    if (record.kind !== 'key' || record.use !== 'sign' || record.revoked === null) continue
    if (!('instance' in record.owner)) continue
    if (isRenewed(state, record)) continue
    const { institution } = record.owner
    heights.set(institution, Math.max(heights.get(institution) ?? 0, record.revoked.height))
  }
  const marked = { heights: [...heights].toSorted(byId), removed: removed.toSorted() }
  return { heights, mark: digestOf(canonicalBytes(marked)) }
}

/** A machine that renews itself stays who it was: nobody lost a key, and new keys for all that it reads would be for nothing. */
function isRenewed(state: RegistryState, { kid, revoked, owner }: KeyRecord): boolean {
  if (revoked?.reason !== 'retired' || !('instance' in owner)) return false
  const instance = getRecord(state, `instance/${owner.instance}`)
  return instance?.kind === 'instance' && instance.status === 'active' && instance.signing !== kid
}

function byId([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : 1
}
