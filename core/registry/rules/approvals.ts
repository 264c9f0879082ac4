// SPDX-License-Identifier: Apache-2.0
import type { Digest, InstitutionId } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { isViolation, violation, type Violation } from '../../block/violation.ts'
import { registryAction, type OpenedRegistryBlock, type RegistryApproval } from '../block.ts'
import type { RegistryState } from '../state.ts'
import { membershipHeight, rootOwner } from './members.ts'

/**
 * How long after a block an approval in it may expire at most, in milliseconds: 30 days. Part of the format. It is measured from
 * the block and not from its parent, whose age says nothing of when the approval was given.
 */
export const MAX_APPROVAL_MS = 30 * 86_400_000

/** What an approval is held against. */
export interface ApprovalTerms {
  readonly registry: Digest | null
  readonly action: Digest
  /** Time of the block that it would be in. */
  readonly time: Timestamp
  /** The parent's state; in a genesis its own. */
  readonly state: RegistryState
}

/** Members whose root keys approve exactly this block. */
export function approvingMembers(
  { block, approvals }: OpenedRegistryBlock,
  state: RegistryState,
  registry: Digest | null,
): Set<InstitutionId> | Violation {
  const terms = { registry, action: registryAction(block.type, block.body), time: block.time, state }
  const members = new Set<InstitutionId>()
  for (const approval of approvals) {
    const member = approvingMember(approval, terms)
    if (isViolation(member)) return member
    if (members.has(member)) return violation('approval-twice', 'a member approves twice')
    members.add(member)
  }
  return members
}

/** The member that approves on these terms, or the rule that its approval breaks; its signature was checked. */
export function approvingMember(
  approval: RegistryApproval,
  { registry, action, time, state }: ApprovalTerms,
): InstitutionId | Violation {
  if (approval.registry !== registry)
    return violation('approval-registry', 'an approval is for another registry')
  if (approval.after !== membershipHeight(state))
    return violation('approval-after', 'members or rules changed since an approval was given')
  if (approval.action !== action) return violation('approval-action', 'an approval is for another action')
  const left = timestampMs(approval.expires) - timestampMs(time)
  if (left < 0) return violation('approval-expired', 'an approval had expired at the time of the block')
  if (left > MAX_APPROVAL_MS) return violation('approval-term', 'an approval is for more than 30 days')
  const owner = rootOwner(approval.jws.kid, state, time)
  if (isViolation(owner)) return owner
  if (owner?.use !== 'root') return violation('approval-key', "an approval is not by a member's root key")
  return owner.institution
}
