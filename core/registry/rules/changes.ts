// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import type { InstitutionId } from '../../bytes/ids.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { digestOf } from '../../crypto/hash.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import type { RegistryChange } from '../block.ts'
import {
  recordKey,
  type InstitutionRecord,
  type KeyRecord,
  type RegistryRecord,
  type RulesRecord,
} from '../records.ts'
import { getRecord, recordsIn, type RegistryState } from '../state.ts'
import { expiry, isExpiry } from './expiry.ts'
import { isKeyOf, isNewKey } from './keys.ts'
import { isOriginTaken } from './origin.ts'

/** Who makes a change and who agrees to it. */
export interface ChangeContext {
  readonly author: InstitutionId
  readonly use: KeyRecord['use']
  readonly height: number
  readonly time: Timestamp
  readonly approvers: ReadonlySet<InstitutionId>
  /** The state before the block, whose members vote: not the one before the change. */
  readonly parent: RegistryState
}

type Put = readonly RegistryRecord[]
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
      return admit(state, change.institution, context)
    case 'remove':
      return remove(state, change.institution, context)
    case 'replace-root':
      return replaceRoot(state, change, context)
    case 'enrol':
      return enrol(state, change, context)
    case 'revoke':
      return revoke(state, change, context)
    case 'deploy':
      return deploy(state, change, context)
    case 'rules':
      return changeRules(state, change.rules, context)
    case 'renew':
      return violation('renew', 'an instance renews itself, by its own key')
  }
}

function admit(state: RegistryState, record: InstitutionRecord, context: ChangeContext): Put | Violation {
  if (getRecord(state, recordKey(record))) return violation('admit', 'the institution is known already')
  const keys = (['root', 'recovery'] as const).map((use): KeyRecord => ({
    v: 1,
    kind: 'key',
    kid: thumbprint(record[use]),
    jwk: record[use],
    use,
    owner: { institution: record.id },
    revoked: null,
  }))
  if (keys.some((key) => isKnown(state, key)) || keys[0]?.kid === keys[1]?.kid) return kidOwner()
  if (digestOf(fromBase64url(record.sealing.key)) !== record.sealing.kid || record.status !== 'active') {
    return violation('admit', 'the record of a new institution is not right')
  }
  return majority(context, null) ?? [record, ...keys]
}

function remove(state: RegistryState, id: InstitutionId, context: ChangeContext): Put | Violation {
  const record = getRecord(state, `institution/${id}`)
  if (record?.kind !== 'institution' || record.status !== 'active')
    return violation('remove', 'no such active institution')
  return majority(context, id) ?? [{ ...record, status: 'removed' }]
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

function changeRules(state: RegistryState, rules: RulesRecord, context: ChangeContext): Put | Violation {
  const known = getRecord(state, recordKey(rules))
  if (known?.kind !== 'rules' || known.demo !== rules.demo)
    return violation('rules', 'a demonstration stays one, and nothing else becomes one')
  if (!getRecord(state, `deployment/${rules.home}`))
    return violation('rules', 'the home of the registry is no deployment')
  return majority(context, null) ?? [rules]
}

/** More than half of the active members agree; the subject of a removal has no vote and is not counted. */
function majority(context: ChangeContext, subject: InstitutionId | null): Violation | null {
  const members: InstitutionId[] = []
  for (const record of recordsIn(context.parent)) {
    if (record.kind === 'institution' && record.status === 'active' && record.id !== subject)
      members.push(record.id)
  }
  const agreeing = members.filter((member) => context.approvers.has(member)).length
  return agreeing * 2 > members.length
    ? null
    : violation('majority', `${agreeing} of ${members.length} members approve`)
}

function institutionOf({ owner }: KeyRecord, state: RegistryState): InstitutionId | null {
  if ('institution' in owner) return owner.institution
  const deployment = getRecord(state, `deployment/${owner.deployment}`)
  return deployment?.kind === 'deployment' ? deployment.institution : null
}

function isKnown(state: RegistryState, key: KeyRecord): boolean {
  return getRecord(state, recordKey(key)) !== null
}

function kidOwner(): Violation {
  return violation('kid-owner', 'a key belongs to another owner for ever')
}
