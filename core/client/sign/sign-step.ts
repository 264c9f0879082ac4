// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import type { ChainId, Digest, OpId } from '../../bytes/ids.ts'
import { toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { actionOf, signApproval } from '../../block/approval.ts'
import type { ControlBlock, EraseBlock, RecoverBlock, RehomeBlock } from '../../block/block.ts'
import { signBlock, type OpenedBlock, type ParsedBlock } from '../../block/open-block.ts'
import { isViolation } from '../../block/violation.ts'
import { stateAfter } from '../../chain/apply-block.ts'
import { stateHash } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { Now, Random, Signer } from '../../ports/keys.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { following } from '../append-entries.ts'
import type { ChainEnd } from '../read/replica.ts'

/** How long an approval stays usable, in milliseconds: one hour. */
const APPROVAL_MS = 3_600_000

/** What signing a control, erase, rehome or recover block needs. */
export interface StepContext {
  readonly ports: { readonly now: Now; readonly random: Random }
  readonly registry: RegistryHistory
  readonly author: Signer
  /** Signers that approve: instances with capability `control`, or devices. Empty for a rotation. */
  readonly approvers: readonly Signer[]
}

/** What signing needs where the approvals are there. */
type Signing = Omit<StepContext, 'approvers'>

/** A control, erase, rehome or recover step without its approvals. */
export type Step =
  | { readonly type: 'control'; readonly body: Omit<ControlBlock['body'], 'approvals'> }
  | { readonly type: 'erase'; readonly body: Omit<EraseBlock['body'], 'approvals'> }
  | { readonly type: 'rehome'; readonly body: Omit<RehomeBlock['body'], 'approvals'> }
  | { readonly type: 'recover'; readonly body: Omit<RecoverBlock['body'], 'approvals'> }

/**
 * Signs the next control, erase, rehome or recover block, given its time: collects the approvals, computes the state after it, signs.
 * The rules are applied here first, so a step that breaks one is never sent.
 * @throws AmpereError VIOLATION naming the rule
 */
export async function signStep(
  context: StepContext,
  replica: ChainEnd,
  stepAt: (time: Timestamp) => Step,
): Promise<ParsedBlock> {
  const place = placeAfter(context, replica)
  const step = stepAt(place.time)
  const { seq } = replica.link.state
  const expires = toTimestamp(context.ports.now() + APPROVAL_MS)
  const approvals = await approveStep({ chain: replica.chain, seq, step }, context.approvers, expires)
  return signAt(context, replica, draftOf(place, step, approvals))
}

/**
 * Signs the next block of a step whose approvals were collected before, maybe elsewhere.
 * @throws AmpereError VIOLATION naming the rule
 */
export function signApproved(
  context: Signing,
  replica: ChainEnd,
  step: Step,
  approvals: readonly string[],
): Promise<ParsedBlock> {
  return signAt(context, replica, draftOf(placeAfter(context, replica), step, [...approvals]))
}

/** The approvals of a step by these signers, each as a JWS. `seq` is that of the state before it. */
export function approveStep(
  { chain, seq, step }: { readonly chain: ChainId; readonly seq: number; readonly step: Step },
  approvers: readonly Signer[],
  expires: Timestamp,
): Promise<string[]> {
  const approval = { chain, seq, action: actionOf(step.type, step.body), expires }
  return Promise.all(approvers.map((signer) => signApproval(approval, signer)))
}

function placeAfter(context: Signing, replica: ChainEnd): Omit<ControlBlock, 'type' | 'body'> {
  const op = toBase64url(context.ports.random(16)) as OpId
  return { ...following(context.ports, replica, op), entries: null }
}

async function signAt(context: Signing, replica: ChainEnd, draft: Draft): Promise<ParsedBlock> {
  const state = hashAfter(context, replica, await signBlock(draft, context.author))
  return signBlock({ ...draft, state }, context.author)
}

type Draft = ControlBlock | EraseBlock | RehomeBlock | RecoverBlock

function draftOf(place: Omit<ControlBlock, 'type' | 'body'>, step: Step, approvals: string[]): Draft {
  switch (step.type) {
    case 'control':
      return { ...place, type: step.type, body: { ...step.body, approvals } }
    case 'erase':
      return { ...place, type: step.type, body: { ...step.body, approvals } }
    case 'rehome':
      return { ...place, type: step.type, body: { ...step.body, approvals } }
    case 'recover':
      return { ...place, type: step.type, body: { ...step.body, approvals } }
  }
}

/** The state hash after a draft whose own `state` field is not right yet. */
function hashAfter(context: Signing, replica: ChainEnd, draft: ParsedBlock): Digest {
  const records = context.registry.viewAt(draft.block.registry)
  if (!records) throw new AmpereError('REGISTRY_STALE', 'the registry head is not known')
  const state = stateAfter(replica.link, draft as OpenedBlock, records)
  if (isViolation(state)) throw new AmpereError('VIOLATION', `rule ${state.rule}: ${state.detail}`)
  return stateHash(state)
}
