// SPDX-License-Identifier: Apache-2.0
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type CompartmentId, type Digest, type OpId } from '#core/bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '#core/bytes/timestamp.ts'
import { actionOf, signApproval } from '#core/block/approval.ts'
import type {
  Block,
  ControlBlock,
  Controller,
  EraseBlock,
  GenesisBlock,
  Grant,
  RecoverBlock,
  RehomeBlock,
} from '#core/block/block.ts'
import { openBlock, signBlock, type KeyOf, type OpenedBlock } from '#core/block/open-block.ts'
import { isViolation, type Violation } from '#core/block/violation.ts'
import { stateAfter } from '#core/chain/apply-block.ts'
import { deviceKeys } from '#core/chain/devices.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import { stateHash, type ControlState, type Link } from '#core/chain/state.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import type { RegistryHistory } from '#core/registry/history.ts'
import { ORIGIN, START_MS } from '#tests/deployment.ts'

/** The chain's rules look at no key that seals, so random bytes stand for one here. */
export const epochKey = (random: Random): string => toBase64url(random(1216))
export const digest = (random: Random): Digest => toBase64url(random(32)) as Digest
export const op = (random: Random): OpId => toBase64url(random(16)) as OpId
export const later = (time: Timestamp, ms: number): Timestamp => toTimestamp(timestampMs(time) + ms)
export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
/** Another deployment, where a registry has it. */
export const NEW_HOME = { deployment: asDeploymentId('home-2'), origin: 'http://new.test' }

/** What blocks of a test are made with and judged by. */
export interface Rules {
  readonly history: RegistryHistory
  readonly random: Random
  /** How long after the parent's time approvals stay usable; an hour unless a test waits longer. */
  readonly approvalMs?: number
}

const verifiers = createVerifiers()

/** The rule that the next block breaks, or the link that it adds; malformed and badly signed blocks included. */
export async function judge(
  rules: Rules,
  parent: Link | null,
  compact: string,
  chain?: string,
): Promise<Link | Violation> {
  const context = {
    chain: (chain ?? parent?.opened.chain ?? idOf(compact)) as Link['opened']['chain'],
    viewAt: rules.history.viewAt,
    keyOf: rules.history.keyOf,
    verifiers,
  }
  const folded = await foldBlocks(parent, [compact], context)
  const [link] = folded.links
  if (folded.broken) return folded.broken.violation
  if (!link) throw new Error('a block was folded to nothing')
  return link
}

/** The same where the block must keep the rules. */
export async function follow(rules: Rules, parent: Link | null, compact: string): Promise<Link> {
  const link = await judge(rules, parent, compact)
  if (isViolation(link)) throw new Error(`rule ${link.rule}: ${link.detail}`)
  return link
}

/** Signs a draft with the state that the rules give; where they forbid it, with the state that it names. */
export async function seal(rules: Rules, parent: Link | null, draft: Block, author: Signer): Promise<string> {
  const parsed = await signBlock(draft, author)
  const devices = deviceKeys([parent?.state ?? null, parsed])
  const keyOf: KeyOf = (kid) => devices.get(kid) ?? rules.history.keyOf(kid)
  let opened: OpenedBlock
  try {
    opened = await openBlock(parsed, keyOf, verifiers)
  } catch {
    return parsed.compact
  }
  const records = rules.history.viewAt(draft.registry)
  const state = records ? stateAfter(parent, opened, records) : null
  if (state === null || isViolation(state)) return parsed.compact
  return (await signBlock({ ...draft, state: stateHash(state) }, author)).compact
}

/** The fields that place a block after `parent`, at the newest registry head. */
export function after(rules: Rules, parent: Link) {
  const { block, id, chain } = parent.opened
  return {
    v: 1 as const,
    chain,
    height: block.height + 1,
    prev: id,
    time: later(block.time, 1000),
    registry: rules.history.newest().head,
    state: stateHash(parent.state),
    op: op(rules.random),
  }
}

/** What an approval must say for `body` to be done on `parent`. */
export function demandOf(
  parent: Link,
  type: 'control' | 'erase' | 'rehome' | 'recover',
  body: object,
  approvalMs = 3_600_000,
) {
  return {
    chain: parent.opened.chain,
    seq: parent.state.seq,
    action: actionOf(type, body),
    expires: later(parent.opened.block.time, approvalMs),
  }
}

type Body<B extends Block> = Omit<Extract<B, { body: unknown }>['body'], 'approvals'>

/** A genesis that its signers approve, open to be spoiled before it is sealed. */
export async function genesis(
  rules: Rules,
  controllers: readonly Controller[],
  approvers: readonly Signer[],
  given: Partial<Body<GenesisBlock>> & { readonly compartments?: GenesisBlock['body']['compartments'] } = {},
): Promise<GenesisBlock> {
  const { random, history } = rules
  const ids = [op(random), op(random)].toSorted() as string[] as CompartmentId[]
  const body: Body<GenesisBlock> = {
    nonce: toBase64url(random(32)),
    purpose: 'record',
    of: null,
    registry: history.pinned,
    home: HOME,
    controllers: { threshold: 1, members: [...controllers] },
    compartments: ids.map((id) => ({ id, key: epochKey(random) })),
    labelKeyHash: digest(random),
    ...given,
  }
  const time = toTimestamp(START_MS)
  const approval = { chain: null, seq: 0, action: actionOf('genesis', body), expires: later(time, 3_600_000) }
  const approvals = await Promise.all(approvers.map((signer) => signApproval(approval, signer)))
  const place = { v: 1 as const, type: 'genesis' as const, height: 0, time, registry: history.newest().head }
  const draft = { ...place, state: history.pinned, op: op(random), entries: null }
  return { ...draft, body: { ...body, approvals } }
}

/** A control block on `parent`; what `given` leaves out changes nothing. */
export async function control(
  rules: Rules,
  parent: Link,
  approvers: readonly Signer[],
  given: Partial<Body<ControlBlock>> = {},
): Promise<ControlBlock> {
  const body: Body<ControlBlock> = {
    act: 'change',
    grants: { put: [], remove: [] },
    controllers: null,
    epoch: null,
    packages: null,
    hold: null,
    access: null,
    ...given,
  }
  const demand = demandOf(parent, 'control', body, rules.approvalMs)
  const approvals = await Promise.all(approvers.map((signer) => signApproval(demand, signer)))
  return { ...after(rules, parent), type: 'control', entries: null, body: { ...body, approvals } }
}

/** An erase block on `parent`: unless `given` says otherwise, a request for one entry of height 2, in 73 hours. */
export async function erase(
  rules: Rules,
  parent: Link,
  approvers: readonly Signer[],
  given: Partial<Body<EraseBlock>> = {},
): Promise<EraseBlock> {
  const place = after(rules, parent)
  const body: Body<EraseBlock> = {
    act: 'request',
    request: null,
    scope: 'entries',
    targets: [{ height: 2, ids: [op(rules.random) as string as never] }],
    ground: 'misfiled',
    notBefore: later(place.time, 73 * 3_600_000),
    ...given,
  }
  const demand = demandOf(parent, 'erase', body, rules.approvalMs)
  const approvals = await Promise.all(approvers.map((signer) => signApproval(demand, signer)))
  return { ...place, type: 'erase', entries: null, body: { ...body, approvals } }
}

/** A rehome block on `parent`: unless `given` says otherwise, from its home to the other deployment. */
export async function rehome(
  rules: Rules,
  parent: Link,
  approvers: readonly Signer[],
  given: Partial<Body<RehomeBlock>> = {},
): Promise<RehomeBlock> {
  const body: Body<RehomeBlock> = { home: NEW_HOME, from: parent.state.home, ...given }
  const demand = demandOf(parent, 'rehome', body, rules.approvalMs)
  const approvals = await Promise.all(approvers.map((signer) => signApproval(demand, signer)))
  return { ...after(rules, parent), type: 'rehome', entries: null, body: { ...body, approvals } }
}

/** A recover block on `parent`: unless `given` says otherwise, a request of what the chain has already, in 73 hours. */
export async function recover(
  rules: Rules,
  parent: Link,
  approvers: readonly Signer[],
  given: Partial<Body<RecoverBlock>> = {},
): Promise<RecoverBlock> {
  const place = after(rules, parent)
  const body: Body<RecoverBlock> = {
    act: 'request',
    request: null,
    controllers: parent.state.controllers,
    recovery: null,
    epoch: null,
    packages: null,
    notBefore: later(place.time, 73 * 3_600_000),
    ...given,
  }
  const demand = demandOf(parent, 'recover', body, rules.approvalMs)
  const approvals = await Promise.all(approvers.map((signer) => signApproval(demand, signer)))
  return { ...place, type: 'recover', entries: null, body: { ...body, approvals } }
}

/** A record block on `parent` whose entries are in the first of its compartments. */
export function record(rules: Rules, parent: Link, given: object = {}): Block {
  const { random } = rules
  const [first] = parent.state.compartments
  const entries = {
    count: 1,
    bytes: 4200,
    root: digest(random),
    keys: digest(random),
    epoch: parent.state.epoch.number,
    compartments: first ? [first.id] : [],
    batch: null,
    ...given,
  }
  return { ...after(rules, parent), type: 'record', entries, body: {} }
}

/** New keys for every compartment of a state. */
export function newEpoch(rules: Rules, state: ControlState): NonNullable<ControlBlock['body']['epoch']> {
  const compartments = state.compartments.map(({ id }) => ({ id, key: epochKey(rules.random) }))
  return { compartments, labelKeyHash: digest(rules.random), cut: false }
}

/** A grant of everything that a state has, without an end. */
export function grantAll(state: ControlState, institution: Grant['institution']): Grant {
  const compartments = state.compartments.map(({ id }) => id)
  return { institution, rights: ['append', 'read'], compartments, until: null, limits: null }
}

/** A genesis is its own chain: the id of what was signed. */
function idOf(compact: string): string {
  return digestOf(utf8(compact.slice(0, compact.lastIndexOf('.'))))
}
