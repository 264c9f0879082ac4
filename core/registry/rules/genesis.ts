// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import { firstViolation, violation, type Violation } from '../../block/violation.ts'
import { digestOf } from '../../crypto/hash.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import {
  recordKey,
  type ApplicantRecord,
  type DeploymentRecord,
  type FoundingRecord,
  type KeyRecord,
} from '../records.ts'
import { getRecord, type RegistryState } from '../state.ts'
import { isKeyOf } from './keys.ts'
import { isOriginTaken } from './origin.ts'

/**
 * Records of a genesis: consistent among themselves, each key with its owner and each owner with its keys.
 * `state` holds exactly `records`, institutions with since when they are members.
 */
export function checkRecords(records: readonly FoundingRecord[], state: RegistryState): Violation | null {
  if (new Set(records.map(recordKey)).size !== records.length)
    return violation('record-twice', 'a record occurs twice')
  if (!records.some((record) => record.kind === 'rules')) return violation('rules', 'a registry has rules')
  return firstViolation(records.map((record) => () => checkRecord(record, state)))
}

function checkRecord(record: FoundingRecord, state: RegistryState): Violation | null {
  switch (record.kind) {
    case 'key':
      return checkKey(record, state)
    case 'institution':
      return checkInstitution(record, state)
    case 'instance': {
      const { id, institution, signing } = record
      if (!isKeyOf(getRecord(state, `key/${signing}`), 'sign', { institution, instance: id }))
        return violation('instance-key', 'an instance has no signing key of its own')
      if (record.expires !== undefined)
        return violation('expires', 'an instance of a genesis does not expire')
      return checkOwned(institution, state)
    }
    case 'deployment':
      return checkDeployment(record, state)
    case 'rules':
      return getRecord(state, `deployment/${record.home}`)
        ? null
        : violation('rules', 'the home of the registry is no deployment')
  }
}

function checkKey(key: KeyRecord, state: RegistryState): Violation | null {
  if (thumbprint(key.jwk) !== key.kid) return violation('kid', 'a key has another id than its own')
  if (key.revoked !== null) return violation('revoked', 'a new key is revoked already')
  // A second root key that no institution names would sign as that institution all the same.
  return isNamedByOwner(key, state) ? null : violation('owner', 'a key is not one that its owner names')
}

function isNamedByOwner({ owner, kid }: KeyRecord, state: RegistryState): boolean {
  if ('deployment' in owner) {
    const deployment = getRecord(state, `deployment/${owner.deployment}`)
    return deployment?.kind === 'deployment' && deployment.kid === kid
  }
  if ('instance' in owner) {
    const instance = getRecord(state, `instance/${owner.instance}`)
    return instance?.kind === 'instance' && instance.signing === kid
  }
  const institution = getRecord(state, `institution/${owner.institution}`)
  if (institution?.kind !== 'institution') return false
  return thumbprint(institution.root) === kid || thumbprint(institution.recovery) === kid
}

function checkInstitution(record: ApplicantRecord, state: RegistryState): Violation | null {
  if (digestOf(fromBase64url(record.sealing.key)) !== record.sealing.kid) {
    return violation('sealing-key', 'a sealing key has another id than its own')
  }
  for (const use of ['root', 'recovery'] as const) {
    const key = getRecord(state, `key/${thumbprint(record[use])}`)
    if (!isKeyOf(key, use, { institution: record.id }))
      return violation('institution-key', `an institution has no ${use} key of its own`)
  }
  return record.status === 'active' ? null : violation('status', 'a new institution is not active')
}

function checkDeployment(record: DeploymentRecord, state: RegistryState): Violation | null {
  if (!isKeyOf(getRecord(state, `key/${record.kid}`), 'head', { deployment: record.id }))
    return violation('deployment-key', 'a deployment has no head key of its own')
  if (isOriginTaken(state, record)) return violation('origin', 'two deployments have one origin')
  return checkOwned(record.institution, state)
}

function checkOwned(institution: string, state: RegistryState): Violation | null {
  return getRecord(state, `institution/${institution}`)
    ? null
    : violation('owner', 'an instance or deployment is of no founder')
}
