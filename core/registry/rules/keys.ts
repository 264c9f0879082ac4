// SPDX-License-Identifier: Apache-2.0
import { thumbprint } from '../../crypto/jwk.ts'
import type { KeyRecord, RegistryRecord } from '../records.ts'

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
