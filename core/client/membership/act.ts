// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { parseJws } from '../../block/jws.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import {
  registryAction,
  signRegistryApproval,
  type MembershipChange,
  type RegistryBlock,
} from '../../registry/block.ts'
import { buildApproved } from '../../registry/build.ts'
import { signProposal, signWithdrawal, type Proposal } from '../../registry/proposal.ts'
import { membershipHeight } from '../../registry/rules/members.ts'
import type { Connection } from '../connect.ts'
import { syncRegistry } from '../read/replica.ts'
import { newestLink, openProposals, type OpenProposal } from './proposals.ts'

const MAX_ATTEMPTS = 4

/** How a proposal stands after an act of ours. */
export type Standing =
  | { readonly at: 'in-force'; readonly height: number }
  | { readonly at: 'open'; readonly open: OpenProposal }

/**
 * Proposes changes of members or rules; where the same are proposed already that proposal is the one.
 * Whether a lost answer was a yes, the same call says.
 * @param forMs how long it is open, at most 30 days
 * @throws AmpereError VIOLATION, LIMIT_EXCEEDED, UPSTREAM_FAILED
 */
export async function proposeChange(
  connection: Connection,
  changes: readonly MembershipChange[],
  forMs: number,
  root: Signer,
): Promise<OpenProposal> {
  const { api, ports } = connection
  const action = registryAction('change', { changes })
  const known = await proposalOf(connection, action)
  if (known) return known
  const { place, state } = newestLink(connection)
  const terms = {
    registry: place.registry,
    changes: [...changes],
    after: membershipHeight(state),
    expires: toTimestamp(ports.now() + forMs),
  }
  const compact = await signProposal(terms, ports.random, root)
  try {
    await api.propose(compact)
  } catch (error) {
    if (!isUnsure(error, 'ALREADY_EXISTS')) throw error
    const stored = await proposalOf(connection, action)
    if (stored) return stored
    throw error
  }
  const stored = await proposalOf(connection, action)
  if (stored) return stored
  throw new AmpereError('UPSTREAM_FAILED', 'the home took the proposal and does not show it')
}

/**
 * Approves a proposal that was shown to whoever signs, and adds the block once a majority approved: whoever signs last does. Given again
 * it goes on where it stopped.
 * @throws AmpereError NOT_FOUND when it is neither open nor in force, VIOLATION, CLOCK_SKEW, UPSTREAM_FAILED
 */
export async function approveProposal(
  connection: Connection,
  { proposal }: Pick<OpenProposal, 'proposal'>,
  root: Signer,
): Promise<Standing> {
  const { api } = connection
  const { registry, after, action, expires } = proposal
  const height = await heightInForce(connection, proposal)
  if (height !== null) return { at: 'in-force', height }
  const before = await stillOpen(connection, proposal)
  if (!isApproved(before, root)) {
    const approval = await signRegistryApproval({ registry, after, action, expires }, root)
    try {
      await api.answerProposal(action, 'approvals', approval)
    } catch (error) {
      // Somebody may have added the block in between, with what others gave.
      if (!isUnsure(error, 'ALREADY_EXISTS', 'NOT_FOUND', 'VIOLATION')) throw error
      const added = await heightInForce(connection, proposal)
      if (added !== null) return { at: 'in-force', height: added }
      if (!isApproved(await stillOpen(connection, proposal), root)) throw error
    }
  }
  return completeProposal(connection, proposal, root)
}

/** Adds the block of a proposal that a majority approved; says how it stands. @throws AmpereError as `approveProposal` */
export async function completeProposal(
  connection: Connection,
  proposal: Proposal,
  root: Signer,
): Promise<Standing> {
  const { api, ports } = connection
  for (let attempt = 1; ; attempt++) {
    const height = await heightInForce(connection, proposal)
    if (height !== null) return { at: 'in-force', height }
    const open = await stillOpen(connection, proposal)
    if (open.lacks !== null) return { at: 'open', open }
    const parent = newestLink(connection)
    const block = await buildApproved(ports, parent, proposal.changes, root, [...open.approvals.values()])
    try {
      await api.addRegistryBlock(block)
    } catch (error) {
      if (!isUnsure(error, 'HEAD_CONFLICT') || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

/** Takes a proposal back from the home's list. @throws AmpereError FORBIDDEN, NOT_FOUND, UPSTREAM_FAILED */
export async function withdraw(
  connection: Connection,
  { registry, id, action }: Proposal,
  root: Signer,
): Promise<void> {
  const compact = await signWithdrawal({ registry, proposal: id }, root)
  await connection.api.answerProposal(action, 'withdrawal', compact)
}

/** The open proposal of an action, or null. */
async function proposalOf(connection: Connection, action: Digest): Promise<OpenProposal | null> {
  return (await openProposals(connection)).find(({ proposal }) => proposal.action === action) ?? null
}

async function stillOpen(connection: Connection, { action }: Proposal): Promise<OpenProposal> {
  const open = await proposalOf(connection, action)
  if (open) return open
  throw new AmpereError(
    'NOT_FOUND',
    'the proposal is not open any more: it was taken back, has expired, or is spent',
  )
}

/** Height of the block that put these changes in force since they were proposed; null while there is none. */
async function heightInForce(connection: Connection, { action, after }: Proposal): Promise<number | null> {
  const { registry } = connection.sync
  await syncRegistry(connection.sync)
  for (const [height, compact] of registry.blocks().entries()) {
    if (height <= after) continue
    const block = parseJws(compact, 'ampere-registry+jws').payload as unknown as RegistryBlock
    if (block.type === 'change' && registryAction('change', block.body) === action) return height
  }
  return null
}

function isApproved({ approvals }: OpenProposal, { kid }: Signer): boolean {
  return [...approvals.values()].some(
    (compact) => parseJws(compact, 'ampere-registry-approval+jws').kid === kid,
  )
}

/** Failures after which only another look says whether it was done. */
function isUnsure(
  error: unknown,
  ...codes: readonly ('ALREADY_EXISTS' | 'NOT_FOUND' | 'VIOLATION' | 'HEAD_CONFLICT')[]
) {
  return isAmpereError(error, 'UPSTREAM_FAILED', 'STORE_UNAVAILABLE', ...codes)
}
