// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { toBase64url } from '../bytes/encoding.ts'
import type { Digest, InstitutionId, Kid } from '../bytes/ids.ts'
import { bytesOf, count, digest, parseWith, timestamp } from '../bytes/schema.ts'
import { timestampMs, type Timestamp } from '../bytes/timestamp.ts'
import { parseJws, signJws, verifyJws, type OpenedJws } from '../block/jws.ts'
import type { KeyOf } from '../block/open-block.ts'
import { isViolation, violation, type Violation } from '../block/violation.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import type { Random, Signer } from '../ports/keys.ts'
import { membershipChangeSchema, registryAction, type MembershipChange } from './block.ts'
import { MAX_APPROVAL_MS } from './rules/approvals.ts'
import { membersAt, membershipHeight, rootOwner } from './rules/members.ts'
import { applyMembership } from './rules/membership.ts'
import { putRecords } from './state.ts'
import type { RegistryLink } from './reduce.ts'

/** Changes in one proposal at most: what a person can read before signing. */
export const MAX_PROPOSED_CHANGES = 8

const proposalSchema = v.strictObject({
  registry: digest,
  changes: v.pipe(v.array(membershipChangeSchema), v.minLength(1), v.maxLength(MAX_PROPOSED_CHANGES)),
  after: count,
  expires: timestamp,
  /** The same changes proposed anew are another proposal. */
  nonce: bytesOf(16),
})
const withdrawalSchema = v.strictObject({ registry: digest, proposal: digest })

/** What a member says of a change of members or rules that it wants. */
export type ProposalTerms = v.InferOutput<typeof proposalSchema>

/** A proposal whose signature was checked. */
export interface Proposal extends ProposalTerms {
  /** Of the statement, whose nonce makes it this one. */
  readonly id: Digest
  readonly kid: Kid
  readonly compact: string
  /** What has to be approved; the same for whoever proposes it. */
  readonly action: Digest
}

/** Signs a proposal with a member's root key. */
export function signProposal(
  terms: Omit<ProposalTerms, 'nonce'>,
  random: Random,
  signer: Signer,
): Promise<string> {
  const said = { ...terms, nonce: toBase64url(random(16)) }
  return signJws(
    'ampere-registry-proposal+jws',
    parseWith(proposalSchema, said, 'RECORD_MALFORMED', 'proposal'),
    signer,
  )
}

/** @throws AmpereError JWS_MALFORMED, RECORD_MALFORMED, SIGNATURE_INVALID */
export async function openProposal(compact: string, keyOf: KeyOf, verifiers: Verifiers): Promise<Proposal> {
  const { jws, ...proposal } = parseProposal(compact)
  await verifyBy(jws, keyOf, verifiers)
  return proposal
}

/** The form of a proposal; its signature is its reader's to check. @throws AmpereError JWS_MALFORMED, RECORD_MALFORMED */
export function parseProposal(compact: string): Proposal & { readonly jws: OpenedJws } {
  const jws = parseJws(compact, 'ampere-registry-proposal+jws')
  const terms = parseWith(proposalSchema, jws.payload, 'RECORD_MALFORMED', 'proposal')
  const action = registryAction('change', { changes: terms.changes })
  return { ...terms, id: jws.id, kid: jws.kid, compact, action, jws }
}

/** Signs that a proposal is taken back, with a root key of the institution that made it. */
export function signWithdrawal(
  said: { registry: Digest; proposal: Digest },
  signer: Signer,
): Promise<string> {
  return signJws('ampere-registry-withdrawal+jws', said, signer)
}

/** @throws AmpereError JWS_MALFORMED, RECORD_MALFORMED, SIGNATURE_INVALID */
export async function openWithdrawal(
  compact: string,
  keyOf: KeyOf,
  verifiers: Verifiers,
): Promise<{ readonly registry: Digest; readonly proposal: Digest; readonly kid: Kid }> {
  const opened = parseJws(compact, 'ampere-registry-withdrawal+jws')
  const said = parseWith(withdrawalSchema, opened.payload, 'RECORD_MALFORMED', 'withdrawal')
  await verifyBy(opened, keyOf, verifiers)
  return { ...said, kid: opened.kid }
}

async function verifyBy(opened: OpenedJws, keyOf: KeyOf, verifiers: Verifiers): Promise<void> {
  const key = keyOf(opened.kid)
  if (!key) throw new AmpereError('SIGNATURE_INVALID', 'the signing key is not known')
  await verifyJws(opened, key, verifiers)
}

/**
 * The member that proposes, or what stands against it now: the rule that the proposal itself breaks, or the one that its changes
 * would break if every member approved them.
 */
export function judgeProposal(
  { registry, after, expires, kid, changes }: Proposal,
  link: RegistryLink,
  time: Timestamp,
): InstitutionId | Violation {
  if (registry !== link.place.registry)
    return violation('proposal-registry', 'the proposal is for another registry')
  if (after !== membershipHeight(link.state))
    return violation('proposal-after', 'members or rules changed since it was made')
  const left = timestampMs(expires) - timestampMs(time)
  if (left < 0) return violation('proposal-expired', 'the proposal has expired')
  if (left > MAX_APPROVAL_MS) return violation('proposal-term', 'the proposal is for more than 30 days')
  const owner = rootOwner(kid, link.state, time)
  if (isViolation(owner)) return owner
  if (owner?.use !== 'root') return violation('proposal-key', "the proposal is not by a member's root key")
  const all = new Set(membersAt(link.state, time))
  return agreed(link, changes, { author: owner.institution, approvers: all, time }) ?? owner.institution
}

/** The rule by which these changes are not in force if these members approve them, or null. */
export function agreed(
  { state, place }: RegistryLink,
  changes: readonly MembershipChange[],
  by: {
    readonly author: InstitutionId
    readonly approvers: ReadonlySet<InstitutionId>
    readonly time: Timestamp
  },
): Violation | null {
  let after = state
  for (const change of changes) {
    const context = { ...by, use: 'root' as const, height: place.height + 1, parent: state }
    const records = applyMembership(after, change, context)
    if (isViolation(records)) return records
    after = putRecords(after, records)
  }
  return null
}
