// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes } from '../bytes/canonical-json.ts'
import type { Digest, Kid } from '../bytes/ids.ts'
import {
  blockId,
  bytesOf,
  count,
  digest,
  institutionId,
  kid,
  opId,
  parseWith,
  timestamp,
} from '../bytes/schema.ts'
import type { Timestamp } from '../bytes/timestamp.ts'
import { parseJws, signJws, verifyJws, type OpenedJws } from '../block/jws.ts'
import type { KeyOf } from '../block/open-block.ts'
import { digestOf } from '../crypto/hash.ts'
import { thumbprint } from '../crypto/jwk.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import type { PublicJwk, Signer } from '../ports/keys.ts'
import {
  applicantSchema,
  deploymentSchema,
  foundingSchema,
  instanceSchema,
  keySchema,
  rulesSchema,
  type FoundingRecord,
} from './records.ts'

const jws = v.pipe(v.string(), v.maxLength(16 * 1024))
const approvals = v.pipe(v.array(jws), v.maxLength(256))

/** What takes a majority of the members. */
export const membershipChangeSchema = v.variant('act', [
  v.strictObject({ act: v.literal('admit'), institution: applicantSchema }),
  v.strictObject({ act: v.literal('remove'), institution: institutionId }),
  v.strictObject({ act: v.literal('rules'), rules: rulesSchema }),
])
const change = v.variant('act', [
  ...membershipChangeSchema.options,
  v.strictObject({ act: v.literal('replace-root'), institution: institutionId, root: keySchema }),
  v.strictObject({ act: v.literal('enrol'), instance: instanceSchema, key: keySchema }),
  v.strictObject({
    act: v.literal('revoke'),
    kid,
    reason: v.picklist(['retired', 'suspended', 'compromised']),
    suspectFrom: v.nullable(timestamp),
  }),
  v.strictObject({ act: v.literal('reinstate'), kid }),
  v.strictObject({ act: v.literal('deploy'), deployment: deploymentSchema, key: keySchema }),
  v.strictObject({ act: v.literal('renew'), key: keySchema, expires: timestamp }),
])

const common = { v: v.literal(1), height: count, time: timestamp, state: digest, op: opId }
/** The two registry block types, as closed wire schemas. */
export const registryBlockSchema = v.variant('type', [
  v.strictObject({
    ...common,
    type: v.literal('genesis'),
    body: v.strictObject({
      nonce: bytesOf(32),
      /** Founders, their instances and keys, the first deployment and the rules. */
      records: v.pipe(v.array(foundingSchema), v.minLength(1), v.maxLength(256)),
      approvals,
    }),
  }),
  v.strictObject({
    ...common,
    type: v.literal('change'),
    registry: digest,
    prev: blockId,
    body: v.strictObject({ changes: v.pipe(v.array(change), v.minLength(1), v.maxLength(64)), approvals }),
  }),
])
const approvalSchema = v.strictObject({
  registry: v.optional(digest),
  after: count,
  action: digest,
  expires: timestamp,
})

export type RegistryBlock = v.InferOutput<typeof registryBlockSchema>
export type RegistryChange = v.InferOutput<typeof change>
export type MembershipChange = v.InferOutput<typeof membershipChangeSchema>

/**
 * A member's consent to one action. It names the height of the change of members or rules that is the newest when it is given,
 * so that it outlives what institutions change alone, and is spent as soon as members or rules change.
 */
export interface RegistryApproval {
  readonly jws: OpenedJws
  readonly registry: Digest | null
  readonly after: number
  readonly action: Digest
  readonly expires: Timestamp
}

/** A registry block whose signatures, its own and the approvals', were checked. */
export interface OpenedRegistryBlock {
  readonly id: Digest
  readonly kid: Kid
  readonly compact: string
  readonly block: RegistryBlock
  readonly approvals: readonly RegistryApproval[]
}

/** What is approved: SHA-256 of the canonical block type and body without the approvals. */
export function registryAction(type: RegistryBlock['type'], body: object): Digest {
  const { approvals: _, ...rest } = body as { approvals?: unknown }
  return digestOf(canonicalBytes({ type, body: rest }))
}

/**
 * Parses a registry block and checks every signature. Keys come from `keyOf`, and in a genesis from the
 * block itself: there the pinned id is what makes them the right ones.
 * @throws AmpereError JWS_MALFORMED, BLOCK_MALFORMED, SIGNATURE_INVALID
 */
export async function openRegistryBlock(
  compact: string,
  keyOf: KeyOf,
  verifiers: Verifiers,
): Promise<OpenedRegistryBlock> {
  const opened = parseJws(compact, 'ampere-registry+jws')
  const block = parseWith(registryBlockSchema, opened.payload, 'BLOCK_MALFORMED', 'registry block')
  const given = block.type === 'genesis' ? keysIn(block.body.records) : new Map<Kid, PublicJwk>()
  const find: KeyOf = (id) => given.get(id) ?? keyOf(id)
  const parsed = block.body.approvals.map(parseRegistryApproval)
  await Promise.all(
    [opened, ...parsed.map((approval) => approval.jws)].map(async (statement) => {
      const key = find(statement.kid)
      if (!key) throw new AmpereError('SIGNATURE_INVALID', 'the signing key is not known')
      await verifyJws(statement, key, verifiers)
    }),
  )
  return { id: opened.id, kid: opened.kid, compact, block, approvals: parsed }
}

/** Signs a registry block with an institution's root key. */
export function signRegistryBlock(block: RegistryBlock, signer: Signer): Promise<string> {
  return signJws(
    'ampere-registry+jws',
    parseWith(registryBlockSchema, block, 'BLOCK_MALFORMED', 'registry block'),
    signer,
  )
}

/** Signs a member's approval with its root key. `registry` is null for a genesis. */
export function signRegistryApproval(
  approval: { registry: Digest | null; after: number; action: Digest; expires: Timestamp },
  signer: Signer,
): Promise<string> {
  const { registry, ...rest } = approval
  return signJws('ampere-registry-approval+jws', registry === null ? rest : { registry, ...rest }, signer)
}

/** The form of an approval; its signature is its reader's to check. @throws AmpereError JWS_MALFORMED, BLOCK_MALFORMED */
export function parseRegistryApproval(compact: string): RegistryApproval {
  const opened = parseJws(compact, 'ampere-registry-approval+jws')
  const stated = parseWith(approvalSchema, opened.payload, 'BLOCK_MALFORMED', 'registry approval')
  return {
    jws: opened,
    registry: stated.registry ?? null,
    after: stated.after,
    action: stated.action,
    expires: stated.expires,
  }
}

function keysIn(records: readonly FoundingRecord[]): Map<Kid, PublicJwk> {
  const keys = new Map<Kid, PublicJwk>()
  for (const record of records) if (record.kind === 'key') keys.set(thumbprint(record.jwk), record.jwk)
  return keys
}
