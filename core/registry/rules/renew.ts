// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../../bytes/ids.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { violation, type Violation } from '../../block/violation.ts'
import type { OpenedRegistryBlock } from '../block.ts'
import type { InstanceRecord, KeyRecord, RegistryRecord } from '../records.ts'
import { getRecord, type RegistryState } from '../state.ts'
import { expiry, isExpiry } from './expiry.ts'
import { isKeyOf, isNewKey } from './keys.ts'

/**
 * Judges a change that no root key signed: the one that an instance may make, of itself. It gets a new key and more time, and
 * nothing else; so whoever holds its key gains nothing that the key does not have.
 * @returns the instance, its new key, and the old one as retired
 */
export function judgeRenewal(
  state: RegistryState,
  { kid, block }: OpenedRegistryBlock,
): readonly RegistryRecord[] | Violation {
  const author = renewing(state, kid)
  const renews = block.type === 'change' && block.body.changes.some(({ act }) => act === 'renew')
  if (!author || !renews)
    return violation('author', 'the author is not the root key of an active institution')
  const [change, ...more] = block.body.changes
  if (change?.act !== 'renew' || more.length > 0 || block.body.approvals.length > 0)
    return violation('renew', 'an instance renews itself, and changes nothing else')
  const { instance, key } = author
  const { institution, id, expires: before } = instance
  if (before === undefined) return violation('renew', 'an instance that does not expire needs no renewal')
  if (timestampMs(before) < timestampMs(block.time)) return violation('renew', 'the instance has expired')
  if (getRecord(state, `key/${change.key.kid}`)) {
    return violation('kid-owner', 'a key belongs to another owner for ever')
  }
  if (!isKeyOf(change.key, 'sign', { institution, instance: id }) || !isNewKey(change.key))
    return violation('renew', 'the new key is not right')
  if (timestampMs(change.expires) <= timestampMs(before) || !isExpiry(change.expires, block.time))
    return expiry()
  const revoked = { reason: 'retired' as const, suspectFrom: null, height: block.height }
  return [{ ...instance, signing: change.key.kid, expires: change.expires }, change.key, { ...key, revoked }]
}

/** The active instance, of an active institution, that signs with a key which is not revoked. */
function renewing(
  state: RegistryState,
  kid: Kid,
): { readonly instance: InstanceRecord; readonly key: KeyRecord } | null {
  const key = getRecord(state, `key/${kid}`)
  if (key?.kind !== 'key' || key.use !== 'sign' || key.revoked !== null || !('instance' in key.owner))
    return null
  const instance = getRecord(state, `instance/${key.owner.instance}`)
  const institution = getRecord(state, `institution/${key.owner.institution}`)
  if (instance?.kind !== 'instance' || instance.signing !== kid || instance.status !== 'active') return null
  return institution?.kind === 'institution' && institution.status === 'active' ? { instance, key } : null
}
