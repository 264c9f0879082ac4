// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../bytes/ids.ts'
import { violation, type Violation } from '../block/violation.ts'
import { thumbprint } from '../crypto/jwk.ts'
import { digestOf } from '../crypto/hash.ts'
import { fromBase64url } from '../bytes/encoding.ts'
import type { PublicJwk } from '../ports/keys.ts'
import type { RegistryChange } from './block.ts'
import { recordKey, type InstitutionRecord, type KeyRecord, type RegistryRecord } from './records.ts'
import { getRecord, type RegistryState } from './state.ts'

/** Who makes a change and who agrees to it. */
export interface ChangeContext {
  readonly author: InstitutionId
  readonly use: KeyRecord['use']
  readonly height: number
  readonly approvers: ReadonlySet<InstitutionId>
}

type Put = readonly (readonly [string, RegistryRecord])[]

/** The records that a change puts in place, or the rule that it breaks. */
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
      return majority(state, context, null) ?? put(change.rules)
  }
}

/** Records of a genesis: consistent among themselves, each key with its owner. */
export function checkRecords(records: readonly RegistryRecord[], state: RegistryState): Violation | null {
  if (new Set(records.map(recordKey)).size !== records.length)
    return violation('record-twice', 'a record occurs twice')
  if (!records.some((record) => record.kind === 'rules')) return violation('rules', 'a registry has rules')
  for (const record of records) {
    const broken = checkRecord(record, state)
    if (broken) return broken
  }
  return null
}

function checkRecord(record: RegistryRecord, state: RegistryState): Violation | null {
  if (record.kind === 'key') {
    if (thumbprint(record.jwk) !== record.kid) return violation('kid', 'a key has another id than its own')
    return record.revoked === null ? null : violation('revoked', 'a new key is revoked already')
  }
  if (record.kind === 'institution') return checkInstitution(record, state)
  if (record.kind === 'instance') {
    const key = getRecord(state, `key/${record.signing}`)
    const owned =
      key?.kind === 'key' &&
      key.use === 'sign' &&
      'instance' in key.owner &&
      key.owner.instance === record.id &&
      key.owner.institution === record.institution
    return owned ? null : violation('instance-key', 'an instance has no signing key of its own')
  }
  if (record.kind === 'deployment') {
    const key = getRecord(state, `key/${record.kid}`)
    const owned =
      key?.kind === 'key' &&
      key.use === 'head' &&
      'deployment' in key.owner &&
      key.owner.deployment === record.id
    return owned ? null : violation('deployment-key', 'a deployment has no head key of its own')
  }
  return null
}

function checkInstitution(record: InstitutionRecord, state: RegistryState): Violation | null {
  if (digestOf(fromBase64url(record.sealing.key)) !== record.sealing.kid) {
    return violation('sealing-key', 'a sealing key has another id than its own')
  }
  for (const use of ['root', 'recovery'] as const) {
    const key = getRecord(state, `key/${thumbprint(record[use])}`)
    const owned =
      key?.kind === 'key' &&
      key.use === use &&
      'institution' in key.owner &&
      !('instance' in key.owner) &&
      key.owner.institution === record.id
    if (!owned) return violation('institution-key', `an institution has no ${use} key of its own`)
  }
  return record.status === 'active' ? null : violation('status', 'a new institution is not active')
}

function admit(state: RegistryState, record: InstitutionRecord, context: ChangeContext): Put | Violation {
  if (getRecord(state, recordKey(record))) return violation('admit', 'the institution is known already')
  const keys = (['root', 'recovery'] as const).map((use): KeyRecord => ({
    v: 1,
    kind: 'key',
    kid: thumbprint(record[use] as PublicJwk),
    jwk: record[use],
    use,
    owner: { institution: record.id },
    revoked: null,
  }))
  if (keys.some((key) => getRecord(state, recordKey(key)) !== null) || keys[0]?.kid === keys[1]?.kid) {
    return violation('kid-owner', 'a key belongs to another owner for ever')
  }
  if (digestOf(fromBase64url(record.sealing.key)) !== record.sealing.kid || record.status !== 'active') {
    return violation('admit', 'the record of a new institution is not right')
  }
  return majority(state, context, null) ?? put(record, ...keys)
}

function remove(state: RegistryState, id: InstitutionId, context: ChangeContext): Put | Violation {
  const record = getRecord(state, `institution/${id}`)
  if (record?.kind !== 'institution' || record.status !== 'active')
    return violation('remove', 'no such active institution')
  return majority(state, context, id) ?? put({ ...record, status: 'removed' })
}

function replaceRoot(
  state: RegistryState,
  change: Extract<RegistryChange, { act: 'replace-root' }>,
  context: ChangeContext,
): Put | Violation {
  const record = getRecord(state, `institution/${change.institution}`)
  if (record?.kind !== 'institution' || change.institution !== context.author || context.use !== 'recovery') {
    return violation('replace-root', "only an institution's own recovery key replaces its root key")
  }
  const { root } = change
  const own =
    root.use === 'root' &&
    'institution' in root.owner &&
    !('instance' in root.owner) &&
    root.owner.institution === record.id
  if (!own || root.revoked !== null || thumbprint(root.jwk) !== root.kid) {
    return violation('replace-root', 'the new root key is not right')
  }
  if (getRecord(state, recordKey(root)))
    return violation('kid-owner', 'a key belongs to another owner for ever')
  const old = getRecord(state, `key/${thumbprint(record.root)}`)
  if (old?.kind !== 'key') return violation('replace-root', 'the old root key is not known')
  const revoked = { reason: 'compromised' as const, suspectFrom: null, height: context.height }
  return put({ ...record, root: root.jwk }, root, { ...old, revoked })
}

function enrol(
  state: RegistryState,
  change: Extract<RegistryChange, { act: 'enrol' }>,
  context: ChangeContext,
): Put | Violation {
  const { instance, key } = change
  if (instance.institution !== context.author)
    return violation('enrol', 'an institution enrols only its own instances')
  const known = getRecord(state, recordKey(instance))
  if (known?.kind === 'instance' && known.institution !== instance.institution) {
    return violation('enrol', 'the instance belongs to another institution')
  }
  if (getRecord(state, recordKey(key)))
    return violation('kid-owner', 'a key belongs to another owner for ever')
  const owned =
    key.use === 'sign' &&
    'instance' in key.owner &&
    key.owner.instance === instance.id &&
    key.owner.institution === instance.institution &&
    key.kid === instance.signing
  if (!owned || key.revoked !== null || thumbprint(key.jwk) !== key.kid || instance.status !== 'active') {
    return violation('enrol', 'the record or key of the instance is not right')
  }
  return put(instance, key)
}

function revoke(
  state: RegistryState,
  change: Extract<RegistryChange, { act: 'revoke' }>,
  context: ChangeContext,
): Put | Violation {
  const key = getRecord(state, `key/${change.kid}`)
  if (key?.kind !== 'key') return violation('revoke', 'the key is not known')
  const deployment = 'deployment' in key.owner ? getRecord(state, `deployment/${key.owner.deployment}`) : null
  const owner =
    'institution' in key.owner
      ? key.owner.institution
      : deployment?.kind === 'deployment'
        ? deployment.institution
        : null
  if (owner !== context.author) return violation('revoke', 'an institution revokes only its own keys')
  if (key.use === 'root' || key.use === 'recovery')
    return violation('revoke', 'a root key is replaced, not revoked')
  if (key.revoked !== null && key.revoked.reason !== 'suspended')
    return violation('revoke', 'the key is revoked already')
  const revoked = { reason: change.reason, suspectFrom: change.suspectFrom, height: context.height }
  const instance = 'instance' in key.owner ? getRecord(state, `instance/${key.owner.instance}`) : null
  const after: KeyRecord = { ...key, revoked }
  return instance?.kind === 'instance' && instance.signing === key.kid
    ? put(after, { ...instance, status: 'revoked' })
    : put(after)
}

function deploy(
  state: RegistryState,
  change: Extract<RegistryChange, { act: 'deploy' }>,
  context: ChangeContext,
): Put | Violation {
  const { deployment, key } = change
  const known = getRecord(state, recordKey(deployment))
  const foreign = known?.kind === 'deployment' && known.institution !== context.author
  if (deployment.institution !== context.author || foreign) {
    return violation('deploy', 'an institution deploys only its own')
  }
  if (getRecord(state, recordKey(key)))
    return violation('kid-owner', 'a key belongs to another owner for ever')
  const owned =
    key.use === 'head' &&
    'deployment' in key.owner &&
    key.owner.deployment === deployment.id &&
    key.kid === deployment.kid
  if (!owned || key.revoked !== null || thumbprint(key.jwk) !== key.kid) {
    return violation('deploy', 'the head key of the deployment is not right')
  }
  return put(deployment, key)
}

/** More than half of the active members agree; the subject of a removal has no vote and is not counted. */
function majority(
  state: RegistryState,
  context: ChangeContext,
  subject: InstitutionId | null,
): Violation | null {
  const members: InstitutionId[] = []
  for (const bucket of state.buckets.values()) {
    for (const record of bucket) {
      if (record.kind === 'institution' && record.status === 'active' && record.id !== subject)
        members.push(record.id)
    }
  }
  const agreeing = members.filter((member) => context.approvers.has(member)).length
  return agreeing * 2 > members.length
    ? null
    : violation('majority', `${agreeing} of ${members.length} members approve`)
}

function put(...records: readonly RegistryRecord[]): Put {
  return records.map((record) => [recordKey(record), record] as const)
}
