// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId, asInstanceId, asInstitutionId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { isViolation, type Violation } from '#core/block/violation.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { createVerifiers, generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import { buildRegistry, institutionRecords, keyRecord, type BuildPorts } from '#core/registry/build.ts'
import {
  openRegistryBlock,
  registryAction,
  signRegistryApproval,
  signRegistryBlock,
  type RegistryBlock,
  type RegistryChange,
} from '#core/registry/block.ts'
import type {
  DeploymentRecord,
  FoundingRecord,
  InstanceRecord,
  KeyRecord,
  RegistryRecord,
} from '#core/registry/records.ts'
import { applyRegistryBlock, registryLinkAfter, type RegistryLink } from '#core/registry/reduce.ts'
import { membershipHeight } from '#core/registry/rules/members.ts'
import { emptyState, getRecord, putRecords, stateRoot, type RegistryState } from '#core/registry/state.ts'

/** When the registries of these tests are founded. */
export const START = Date.parse('2026-11-01T08:00:00.000Z')
/** When approvals that a test gives by hand expire. */
export const EXPIRES = '2026-11-02T08:00:00.000Z' as RegistryBlock['time']
export const verifiers = createVerifiers()

/** An institution with its keys in memory. */
export interface Member {
  readonly id: string
  readonly root: Signer
  readonly recovery: Signer
  readonly instance: Signer
  /** Itself with its root and recovery keys. */
  readonly own: ReturnType<typeof institutionRecords>
  /** Its one instance with its key. */
  readonly enrolled: readonly [InstanceRecord, KeyRecord]
}

/** A signer with a key drawn from `random`. */
export async function draw(random: Random): Promise<Signer> {
  return softwareSigner('Ed25519', generateSoftwareKey('Ed25519', random).seed)
}

export async function makeMember(id: string, random: Random): Promise<Member> {
  const [root, recovery, instance] = [await draw(random), await draw(random), await draw(random)]
  const sealingKey = sealingPublicKey(random(32))
  const own = institutionRecords({
    id: asInstitutionId(id),
    name: `Test ${id}`,
    root: root.publicKey,
    recovery: recovery.publicKey,
    sealingKey,
  })
  const { instance: record, key } = enrolment(id, `${id}-1`, instance)
  return { id, root, recovery, instance, own, enrolled: [record, key] }
}

/** The enrolment of an instance of an institution. */
export function enrolment(institution: string, id: string, signer: Signer) {
  const owner = { institution: asInstitutionId(institution), instance: asInstanceId(id) }
  const instance: InstanceRecord = {
    v: 1,
    kind: 'instance',
    id: owner.instance,
    institution: owner.institution,
    status: 'active',
    capabilities: ['control', 'create'],
    signing: signer.kid,
  }
  return { act: 'enrol' as const, instance, key: keyRecord(signer.publicKey, 'sign', owner) }
}

/** The same enrolment, of an instance that expires. */
export function expires(enrol: ReturnType<typeof enrolment>, at: string) {
  return { ...enrol, instance: { ...enrol.instance, expires: at as RegistryBlock['time'] } }
}

/** The deployment of an institution at an origin. */
export function deploying(institution: string, id: string, origin: string, signer: Signer) {
  const deployment: DeploymentRecord = {
    v: 1,
    kind: 'deployment',
    id: asDeploymentId(id),
    institution: asInstitutionId(institution),
    origin,
    kid: signer.kid,
  }
  const key = keyRecord(signer.publicKey, 'head', { deployment: deployment.id })
  return { act: 'deploy' as const, deployment, key }
}

/** A registry that was just founded. */
export interface Founded {
  readonly ports: BuildPorts
  readonly random: Random
  readonly members: Readonly<Record<string, Member>>
  readonly head: Signer
  readonly records: readonly FoundingRecord[]
  readonly genesis: string
  readonly link: RegistryLink
  member(id: string): Member
}

/** Founds a registry, a demonstration or not; its home is `home-1` of the first institution. */
export async function found(ids: readonly string[], random: Random, demo = true): Promise<Founded> {
  const members: Record<string, Member> = {}
  for (const id of ids) members[id] = await makeMember(id, random)
  const head = await draw(random)
  const { deployment, key } = deploying(ids[0] ?? '', 'home-1', 'http://home.test', head)
  const records: FoundingRecord[] = Object.values(members).flatMap(({ own, enrolled }) => [
    ...own,
    ...enrolled,
  ])
  records.push(deployment, key, { v: 1, kind: 'rules', home: deployment.id, demo })
  const ports = { now: () => START, random }
  const founders = Object.values(members).map(({ root }) => root)
  const genesis = await buildRegistry(ports, records, founders)
  const link = await apply(null, genesis)
  return { ports, random, members, head, records, genesis, link, member: (id) => must(members[id]) }
}

/** The state that a genesis with these records gives, but for the membership record. */
export function stateOf(records: readonly FoundingRecord[]): RegistryState {
  const from = toTimestamp(START)
  return putRecords(
    emptyState(),
    records.map((record): RegistryRecord => (record.kind === 'institution' ? { ...record, from } : record)),
  )
}

/** Opens a block with the keys of the parent's state and judges it. */
export async function judge(parent: RegistryLink | null, compact: string): Promise<RegistryLink | Violation> {
  return applyRegistryBlock(parent, await openOn(parent, compact))
}

/** The same, where the block must keep the rules. */
export async function apply(parent: RegistryLink | null, compact: string): Promise<RegistryLink> {
  const link = await judge(parent, compact)
  if (isViolation(link)) throw new Error(`rule ${link.rule}: ${link.detail}`)
  return link
}

/** The rule that a block breaks, or null. */
export async function brokenRule(parent: RegistryLink | null, compact: string): Promise<string | null> {
  const link = await judge(parent, compact)
  return isViolation(link) ? link.rule : null
}

/** Signs a draft with the state that the rules give it, or as it is where they forbid it. */
export async function seal(
  parent: RegistryLink | null,
  draft: RegistryBlock,
  author: Signer,
): Promise<string> {
  const after = registryLinkAfter(parent, await openOn(parent, await signRegistryBlock(draft, author)))
  return signRegistryBlock(isViolation(after) ? draft : { ...draft, state: stateRoot(after.state) }, author)
}

/** A change block on `parent`, open to be spoiled before it is sealed. */
export function draftChange(parent: RegistryLink, changes: RegistryChange[], approvals: string[] = []) {
  return {
    v: 1 as const,
    type: 'change' as const,
    registry: parent.place.registry,
    height: parent.place.height + 1,
    prev: parent.place.id as string as Extract<RegistryBlock, { type: 'change' }>['prev'],
    time: parent.place.time,
    state: stateRoot(parent.state),
    op: 'AAAAAAAAAAAAAAAAAAAAAA' as RegistryBlock['op'],
    body: { changes, approvals },
  }
}

/** What a test may change in an approval before it is signed. */
export interface ApprovalTerms {
  readonly registry?: Digest | null
  readonly after?: number
  readonly action?: Digest
  readonly expires?: RegistryBlock['time']
}

/** A member's approval of the next block on `parent`. */
export function approve(
  parent: RegistryLink,
  changes: RegistryChange[],
  signer: Signer,
  terms: ApprovalTerms = {},
): Promise<string> {
  return signRegistryApproval(
    {
      registry: parent.place.registry,
      after: membershipHeight(parent.state),
      action: registryAction('change', { changes }),
      expires: EXPIRES,
      ...terms,
    },
    signer,
  )
}

export function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('a value that the test needs is missing')
  return value
}

function openOn(parent: RegistryLink | null, compact: string) {
  const keyOf = (kid: string) => {
    const record = parent ? getRecord(parent.state, `key/${kid}`) : null
    return record?.kind === 'key' ? record.jwk : null
  }
  return openRegistryBlock(compact, keyOf, verifiers)
}
