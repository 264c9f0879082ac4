// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../../bytes/ids.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import { recordKey, type KeyRecord, type RegistryRecord } from '../records.ts'
import { getRecord, type RegistryState } from '../state.ts'

/** True for a key record of exactly this use and owner: neither more nor less than what the owner names. */
export function isKeyOf(
  record: RegistryRecord | null,
  use: KeyRecord['use'],
  owner: KeyRecord['owner'],
): record is KeyRecord {
  if (record?.kind !== 'key' || record.use !== use) return false
  const [given, wanted] = [record.owner, owner] as const
  if ('deployment' in wanted) return 'deployment' in given && given.deployment === wanted.deployment
  if (!('institution' in given) || given.institution !== wanted.institution) return false
  if ('instance' in wanted) return 'instance' in given && given.instance === wanted.instance
  return !('instance' in given)
}

/** True when a key record that is put in place has its own id and no revocation yet. */
export function isNewKey(key: KeyRecord): boolean {
  return key.revoked === null && thumbprint(key.jwk) === key.kid
}

/** The institution to which a key belongs, by itself, an instance or a deployment; null when there is none. */
export function institutionOf({ owner }: KeyRecord, state: RegistryState): InstitutionId | null {
  if ('institution' in owner) return owner.institution
  const deployment = getRecord(state, `deployment/${owner.deployment}`)
  return deployment?.kind === 'deployment' ? deployment.institution : null
}

/** True when the registry has, or ever had, the key. */
export function isKnown(state: RegistryState, key: KeyRecord): boolean {
  return getRecord(state, recordKey(key)) !== null
}

/** What is broken by putting a key that is known. */
export function kidOwner(): Violation {
  return violation('kid-owner', 'a key belongs to another owner for ever')
}
