// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId, Kid } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { violation, type Violation } from '../../block/violation.ts'
import type { ApplicantRecord, InstitutionRecord, KeyRecord, MembershipRecord } from '../records.ts'
import { getRecord, recordsIn, type RegistryState } from '../state.ts'

/** Who signs with a root or recovery key. */
export interface RootOwner {
  readonly institution: InstitutionId
  readonly use: KeyRecord['use']
}

/** True when the institution may take part: admitted, its waiting time over, not removed. */
export function isMember({ status, from }: InstitutionRecord, time: Timestamp): boolean {
  return status === 'active' && timestampMs(from) <= timestampMs(time)
}

/** The members at a time, in no order that means anything. */
export function membersAt(state: RegistryState, time: Timestamp): readonly InstitutionId[] {
  const members: InstitutionId[] = []
  for (const record of recordsIn(state))
    if (record.kind === 'institution' && isMember(record, time)) members.push(record.id)
  return members
}

/**
 * The institution whose root (or recovery) key this is; null when it has none, is removed, or the key is revoked. One that
 * waits breaks the rule `waiting`.
 */
export function rootOwner(kid: Kid, state: RegistryState, time: Timestamp): RootOwner | Violation | null {
  const key = getRecord(state, `key/${kid}`)
  if (key?.kind !== 'key' || key.revoked !== null) return null
  if ((key.use !== 'root' && key.use !== 'recovery') || !('institution' in key.owner)) return null
  const institution = getRecord(state, `institution/${key.owner.institution}`)
  if (institution?.kind !== 'institution' || institution.status !== 'active') return null
  if (!isMember(institution, time)) return violation('waiting', 'the institution is a member only later')
  return { institution: institution.id, use: key.use }
}

/** Height of the newest block that changed members or rules: what an approval has to name. */
export function membershipHeight(state: RegistryState): number {
  const record = getRecord(state, 'membership')
  return record?.kind === 'membership' ? record.height : 0
}

/** The record that spends every approval given before. */
export function membershipRecord(height: number): MembershipRecord {
  return { v: 1, kind: 'membership', height }
}

/** What an institution of one registry brings to another. */
export function applicantOf(institution: InstitutionRecord): ApplicantRecord {
  const { from: _, ...applicant } = institution
  return applicant
}
