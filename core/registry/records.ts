// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import {
  bytesOf,
  count,
  deploymentId,
  digest,
  instanceId,
  institutionId,
  kid,
  timestamp,
} from '../bytes/schema.ts'

/** What an instance may do beyond what chains grant its institution. */
export const CAPABILITIES = ['control', 'create', 'identify', 'publish', 'release-share'] as const

const publicJwk = v.union([
  v.strictObject({ kty: v.literal('EC'), crv: v.literal('P-256'), x: bytesOf(32), y: bytesOf(32) }),
  v.strictObject({ kty: v.literal('OKP'), crv: v.literal('Ed25519'), x: bytesOf(32) }),
  v.strictObject({ kty: v.literal('AKP'), alg: v.literal('ML-DSA-44'), pub: bytesOf(1312) }),
])
const sealing = v.strictObject({ kid: digest, key: bytesOf(1216) })
const text = v.pipe(v.string(), v.minLength(1), v.maxLength(200))

const applicant = {
  v: v.literal(1),
  kind: v.literal('institution'),
  id: institutionId,
  name: text,
  status: v.picklist(['active', 'removed']),
  root: publicJwk,
  recovery: publicJwk,
  sealing,
}
/** An institution as it asks to be one: since when it is, the block that takes it says. */
export const applicantSchema = v.strictObject(applicant)
export const institutionSchema = v.strictObject({
  ...applicant,
  /** Until a block's time has reached this, the institution waits: it is no author, approver or voter. */
  from: timestamp,
})
export const instanceSchema = v.strictObject({
  v: v.literal(1),
  kind: v.literal('instance'),
  id: instanceId,
  institution: institutionId,
  status: v.picklist(['active', 'revoked']),
  capabilities: v.pipe(
    v.array(v.picklist(CAPABILITIES)),
    v.check(
      (list) => list.every((item, i) => i === 0 || (list[i - 1] ?? '') < item),
      'not sorted and distinct',
    ),
  ),
  signing: kid,
  /** The last moment at which it is active; without it, until it is revoked. */
  expires: v.exactOptional(timestamp),
})
const owner = v.union([
  v.strictObject({ institution: institutionId }),
  v.strictObject({ institution: institutionId, instance: instanceId }),
  v.strictObject({ deployment: deploymentId }),
])
export const keySchema = v.strictObject({
  v: v.literal(1),
  kind: v.literal('key'),
  kid,
  jwk: publicJwk,
  use: v.picklist(['root', 'recovery', 'sign', 'head']),
  owner,
  revoked: v.nullable(
    v.strictObject({
      reason: v.picklist(['retired', 'suspended', 'compromised']),
      suspectFrom: v.nullable(timestamp),
      height: count,
    }),
  ),
})
export const deploymentSchema = v.strictObject({
  v: v.literal(1),
  kind: v.literal('deployment'),
  id: deploymentId,
  institution: institutionId,
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  kid,
})
export const rulesSchema = v.strictObject({
  v: v.literal(1),
  kind: v.literal('rules'),
  /** Deployment where registry blocks are accepted. */
  home: deploymentId,
  /** A demonstration's registry can never join a real one. */
  demo: v.boolean(),
})
const membershipSchema = v.strictObject({
  v: v.literal(1),
  kind: v.literal('membership'),
  /** Of the newest block that changed members or rules; 0 is the genesis. */
  height: count,
})
const others = [instanceSchema, keySchema, deploymentSchema, rulesSchema] as const
const recordSchema = v.variant('kind', [institutionSchema, ...others, membershipSchema])
/** What a genesis may hold: the rules add since when its institutions are members, and the membership record. */
export const foundingSchema = v.variant('kind', [applicantSchema, ...others])

/** One record of the whitelist. */
export type RegistryRecord = v.InferOutput<typeof recordSchema>
export type FoundingRecord = v.InferOutput<typeof foundingSchema>
export type ApplicantRecord = v.InferOutput<typeof applicantSchema>
export type InstitutionRecord = v.InferOutput<typeof institutionSchema>
export type MembershipRecord = v.InferOutput<typeof membershipSchema>
export type InstanceRecord = v.InferOutput<typeof instanceSchema>
export type KeyRecord = v.InferOutput<typeof keySchema>
export type DeploymentRecord = v.InferOutput<typeof deploymentSchema>
export type RulesRecord = v.InferOutput<typeof rulesSchema>
export type RegistryPublicJwk = v.InferOutput<typeof publicJwk>
export { publicJwk, recordSchema }

/** The key under which a record is kept: `institution/{id}`, `key/{kid}`, ..., `rules`, `membership`. */
export function recordKey(record: RegistryRecord | FoundingRecord): string {
  switch (record.kind) {
    case 'rules':
    case 'membership':
      return record.kind
    case 'key':
      return `key/${record.kid}`
    case 'institution':
    case 'instance':
    case 'deployment':
      return `${record.kind}/${record.id}`
  }
}
