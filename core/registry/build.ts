// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../bytes/encoding.ts'
import type { BlockId, InstitutionId, OpId } from '../bytes/ids.ts'
import { toTimestamp } from '../bytes/timestamp.ts'
import { isViolation } from '../block/violation.ts'
import { digestOf } from '../crypto/hash.ts'
import { thumbprint } from '../crypto/jwk.ts'
import { createVerifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import type { Now, PublicJwk, Random, Signer } from '../ports/keys.ts'
import {
  openRegistryBlock,
  registryAction,
  signRegistryApproval,
  signRegistryBlock,
  type RegistryBlock,
  type RegistryChange,
} from './block.ts'
import type { ApplicantRecord, FoundingRecord, KeyRecord } from './records.ts'
import { registryLinkAfter, type RegistryLink } from './reduce.ts'
import { membershipHeight } from './rules/members.ts'
import { getRecord, stateRoot } from './state.ts'

/** How long a member's approval stays usable, in milliseconds: a day. */
const APPROVAL_MS = 86_400_000

export interface BuildPorts {
  readonly now: Now
  readonly random: Random
}

/** The records of an institution: itself, its root key and its recovery key. */
export function institutionRecords(input: {
  readonly id: InstitutionId
  readonly name: string
  readonly root: PublicJwk
  readonly recovery: PublicJwk
  readonly sealingKey: Uint8Array
}): readonly [ApplicantRecord, KeyRecord, KeyRecord] {
  const { id, name, root, recovery, sealingKey } = input
  const institution: ApplicantRecord = {
    v: 1,
    kind: 'institution',
    id,
    name,
    status: 'active',
    root,
    recovery,
    sealing: { kid: digestOf(sealingKey), key: toBase64url(sealingKey) },
  }
  return [
    institution,
    keyRecord(root, 'root', { institution: id }),
    keyRecord(recovery, 'recovery', { institution: id }),
  ]
}

/** The record of a key. */
export function keyRecord(jwk: PublicJwk, use: KeyRecord['use'], owner: KeyRecord['owner']): KeyRecord {
  return { v: 1, kind: 'key', kid: thumbprint(jwk), jwk, use, owner, revoked: null }
}

/** Signs a registry's genesis with every founder's approval; the first founder is the author. */
export async function buildRegistry(
  ports: BuildPorts,
  records: readonly FoundingRecord[],
  founders: readonly Signer[],
): Promise<string> {
  const [author] = founders
  if (!author) throw new AmpereError('CONFIGURATION', 'a registry has at least one founder')
  const body = { nonce: toBase64url(ports.random(32)), records: [...records] }
  const expires = toTimestamp(ports.now() + APPROVAL_MS)
  const action = registryAction('genesis', body)
  const approvals = await Promise.all(
    founders.map((signer) => signRegistryApproval({ registry: null, after: 0, action, expires }, signer)),
  )
  return signWithState(null, author, {
    v: 1,
    type: 'genesis',
    height: 0,
    time: toTimestamp(ports.now()),
    state: digestOf(new Uint8Array(0)),
    op: toBase64url(ports.random(16)) as OpId,
    body: { ...body, approvals },
  })
}

/** Signs the next registry block. `approvers` are the members' root keys where a majority is asked for. */
export async function buildChange(
  ports: BuildPorts,
  parent: RegistryLink,
  changes: readonly RegistryChange[],
  author: Signer,
  approvers: readonly Signer[] = [],
): Promise<string> {
  const { registry } = parent.place
  const body = { changes: [...changes] }
  const approval = {
    registry,
    after: membershipHeight(parent.state),
    action: registryAction('change', body),
    expires: toTimestamp(ports.now() + APPROVAL_MS),
  }
  const approvals = await Promise.all(approvers.map((signer) => signRegistryApproval(approval, signer)))
  return buildApproved(ports, parent, changes, author, approvals)
}

/** Signs the next registry block with approvals that members signed where they are. */
export async function buildApproved(
  ports: BuildPorts,
  parent: RegistryLink,
  changes: readonly RegistryChange[],
  author: Signer,
  approvals: readonly string[],
): Promise<string> {
  const { registry, height, id } = parent.place
  return signWithState(parent, author, {
    v: 1,
    type: 'change',
    registry,
    height: height + 1,
    prev: id as string as BlockId,
    time: toTimestamp(Math.max(ports.now(), Date.parse(parent.place.time))),
    state: digestOf(new Uint8Array(0)),
    op: toBase64url(ports.random(16)) as OpId,
    body: { changes: [...changes], approvals: [...approvals] },
  })
}

/** Applies the rules to a draft, then signs it again with the state that they give. */
async function signWithState(
  parent: RegistryLink | null,
  author: Signer,
  draft: RegistryBlock,
): Promise<string> {
  const keyOf = (kid: string): PublicJwk | null => keyIn(parent, kid)
  const opened = await openRegistryBlock(await signRegistryBlock(draft, author), keyOf, createVerifiers())
  const link = registryLinkAfter(parent, opened)
  if (isViolation(link)) throw new AmpereError('VIOLATION', `rule ${link.rule}: ${link.detail}`)
  return signRegistryBlock({ ...draft, state: stateRoot(link.state) }, author)
}

function keyIn(parent: RegistryLink | null, kid: string): PublicJwk | null {
  const record = parent ? getRecord(parent.state, `key/${kid}`) : null
  return record?.kind === 'key' ? record.jwk : null
}
