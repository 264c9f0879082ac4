// SPDX-License-Identifier: Apache-2.0
import { violation, type Violation } from '../../block/violation.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import type { RegistryChange } from '../block.ts'
import { recordKey, type KeyRecord } from '../records.ts'
import { getRecord, type RegistryState } from '../state.ts'
import type { ChangeContext, Put } from './context.ts'
import { expiry, isExpiry } from './expiry.ts'
import { institutionOf, isKeyOf, isKnown, isNewKey, kidOwner } from './keys.ts'
import { applyMembership } from './membership.ts'
import { isOriginTaken } from './origin.ts'
import { reinstate } from './reinstate.ts'

type ChangeOf<A extends RegistryChange['act']> = Extract<RegistryChange, { act: A }>

/** The records that a change puts in place of those in `state`, or the rule that it breaks. */
export function applyChange(
  state: RegistryState,
  change: RegistryChange,
  context: ChangeContext,
): Put | Violation {
  if (context.use === 'recovery' && change.act !== 'replace-root') {
    return violation('recovery-key', 'a recovery key only replaces its root key')
  }
  switch (change.act) {
    case 'admit':
    case 'remove':
    case 'rules':
      return applyMembership(state, change, context)
    case 'replace-root':
      return replaceRoot(state, change, context)
    case 'enrol':
      return enrol(state, change, context)
    case 'revoke':
      return revoke(state, change, context)
    case 'reinstate':
      return reinstate(state, change.kid, context)
    case 'deploy':
      return deploy(state, change, context)
    case 'renew':
      return violation('renew', 'an instance renews itself, by its own key')
  }
}

function replaceRoot(
  state: RegistryState,
  { institution, root }: ChangeOf<'replace-root'>,
  context: ChangeContext,
): Put | Violation {
  const record = getRecord(state, `institution/${institution}`)
  if (record?.kind !== 'institution' || institution !== context.author || context.use !== 'recovery') {
    return violation('replace-root', "only an institution's own recovery key replaces its root key")
  }
  if (!isKeyOf(root, 'root', { institution }) || !isNewKey(root))
    return violation('replace-root', 'the new root key is not right')
  if (isKnown(state, root)) return kidOwner()
  const old = getRecord(state, `key/${thumbprint(record.root)}`)
  if (old?.kind !== 'key') return violation('replace-root', 'the old root key is not known')
  const revoked = { reason: 'compromised' as const, suspectFrom: null, height: context.height }
  return [{ ...record, root: root.jwk }, root, { ...old, revoked }]
}

function enrol(
  state: RegistryState,
  { instance, key }: ChangeOf<'enrol'>,
  context: ChangeContext,
): Put | Violation {
  const { id, institution, signing, status, expires } = instance
  if (institution !== context.author)
    return violation('enrol', 'an institution enrols only its own instances')
  const known = getRecord(state, recordKey(instance))
  if (known?.kind === 'instance' && known.institution !== institution) {
    return violation('enrol', 'the instance belongs to another institution')
  }
  if (isKnown(state, key)) return kidOwner()
  if (expires !== undefined && !isExpiry(expires, context.time)) return expiry()
  const isOwn = isKeyOf(key, 'sign', { institution, instance: id }) && key.kid === signing
  return isOwn && isNewKey(key) && status === 'active'
    ? [instance, key]
    : violation('enrol', 'the record or key of the instance is not right')
}

function revoke(
  state: RegistryState,
  { kid, reason, suspectFrom }: ChangeOf<'revoke'>,
  context: ChangeContext,
): Put | Violation {
  const key = getRecord(state, `key/${kid}`)
  if (key?.kind !== 'key') return violation('revoke', 'the key is not known')
  if (institutionOf(key, state) !== context.author)
    return violation('revoke', 'an institution revokes only its own keys')
  if (key.use === 'root' || key.use === 'recovery')
    return violation('revoke', 'a root key is replaced, not revoked')
  if (suspectFrom !== null && reason !== 'compromised')
    return violation('revoke', 'only a compromised key is suspect from a time on')
  if (key.revoked !== null && !mayBecome(key.revoked.reason, reason))
    return violation('revoke', 'the key is revoked already')
  // What becomes worse keeps its height: the key has been out of use since then.
  const revoked = { reason, suspectFrom, height: key.revoked?.height ?? context.height }
  const instance = 'instance' in key.owner ? getRecord(state, `instance/${key.owner.instance}`) : null
  const after: KeyRecord = { ...key, revoked }
  return instance?.kind === 'instance' && instance.signing === key.kid
    ? [after, { ...instance, status: 'revoked' }]
    : [after]
}

type Reason = NonNullable<KeyRecord['revoked']>['reason']

/** A suspension becomes final; of a key that was retired, it may turn out that it was stolen before. */
function mayBecome(before: Reason, reason: Reason): boolean {
  if (before === 'suspended') return reason !== 'suspended'
  return before === 'retired' && reason === 'compromised'
}

function deploy(
  state: RegistryState,
  { deployment, key }: ChangeOf<'deploy'>,
  context: ChangeContext,
): Put | Violation {
  const known = getRecord(state, recordKey(deployment))
  const isForeign = known?.kind === 'deployment' && known.institution !== context.author
  if (deployment.institution !== context.author || isForeign) {
    return violation('deploy', 'an institution deploys only its own')
  }
  if (isOriginTaken(state, deployment)) return violation('origin', 'another deployment has the origin')
  if (isKnown(state, key)) return kidOwner()
  const isOwn = isKeyOf(key, 'head', { deployment: deployment.id }) && key.kid === deployment.kid
  return isOwn && isNewKey(key)
    ? [deployment, key]
    : violation('deploy', 'the head key of the deployment is not right')
}
