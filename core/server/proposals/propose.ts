// SPDX-License-Identifier: Apache-2.0
import type { Digest, InstitutionId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { verifyJws } from '../../block/jws.ts'
import { isViolation, type Violation } from '../../block/violation.ts'
import { MAX_OPEN_PROPOSALS } from '../../api/limits.ts'
import { AmpereError } from '../../errors.ts'
import { parseRegistryApproval } from '../../registry/block.ts'
import { judgeProposal, openProposal, openWithdrawal, parseProposal } from '../../registry/proposal.ts'
import type { RegistryLink } from '../../registry/reduce.ts'
import { approvingMember } from '../../registry/rules/approvals.ts'
import { membershipHeight, rootOwner } from '../../registry/rules/members.ts'
import type { Home } from '../home.ts'
import { checkRegistryHome, type RegistrarPorts } from '../registrar.ts'
import {
  loadProposals,
  proposalRow,
  storeStatement,
  type StoredAction,
  type StoredApproval,
  type StoredProposal,
} from './store.ts'

/**
 * Proposals of a member that are kept since the newest change of members or rules, and its approvals of one action: expired ones count,
 * or a member whose statements expire at once would fill the list that everybody reads.
 */
const MAX_STORED_PROPOSALS = 256
const MAX_STORED_APPROVALS = 16

/**
 * Takes a proposal by a member. The same statement again is success.
 * @throws AmpereError SIGNATURE_INVALID, VIOLATION (the rule says whether it is another registry's, spent, expired, not by a member, or could
 *   never come into force), ALREADY_EXISTS for an open one of the same changes, LIMIT_EXCEEDED, CHAIN_MOVED
 */
export async function addProposal(ports: RegistrarPorts, home: Home, compact: string): Promise<Digest> {
  const { link, keyOf, time, after } = await registryNow(ports, home)
  const proposal = await openProposal(compact, keyOf, home.verifiers)
  const by = allowed(judgeProposal(proposal, link, time))
  const stored = await loadProposals(ports.tables.registry, after)
  const open = openIn(stored, time)
  if (open.some(({ id }) => id === proposal.id)) return proposal.action
  if (open.some(({ action }) => action === proposal.action))
    throw new AmpereError('ALREADY_EXISTS', 'the same changes are proposed already')
  // Those that were taken back count until they would have expired, so that nobody fills the table by taking back.
  const own = unexpired(stored, time).filter((one) => one.by === by)
  const ever = stored.flatMap(({ proposals }) => proposals).filter((one) => one.by === by)
  if (own.length >= MAX_OPEN_PROPOSALS || ever.length >= MAX_STORED_PROPOSALS)
    throw new AmpereError('LIMIT_EXCEEDED', `a member has at most ${MAX_OPEN_PROPOSALS} proposals at a time`)
  await storeStatement(ports, after, proposalRow(proposal.action, 'proposal', by, proposal.id), compact)
  return proposal.action
}

/**
 * Takes a member's approval of an open proposal. The same statement again is success.
 * @throws AmpereError SIGNATURE_INVALID, VIOLATION, NOT_FOUND when nothing open proposes this, ALREADY_EXISTS for a member whose approval is there
 */
export async function addApproval(
  ports: RegistrarPorts,
  home: Home,
  action: Digest,
  compact: string,
): Promise<void> {
  const { link, keyOf, time, after } = await registryNow(ports, home)
  const approval = parseRegistryApproval(compact)
  const key = keyOf(approval.jws.kid)
  if (!key) throw new AmpereError('SIGNATURE_INVALID', 'the signing key is not known')
  await verifyJws(approval.jws, key, home.verifiers)
  const terms = { registry: link.place.registry, action, time, state: link.state }
  const by = allowed(approvingMember(approval, terms))
  const stored = await loadProposals(ports.tables.registry, after)
  const known = stored.find((one) => one.action === action)
  if (!known || openIn([known], time).length === 0)
    throw new AmpereError('NOT_FOUND', 'nothing open proposes this')
  const own = known.approvals.filter((one) => one.by === by)
  if (own.some(({ id }) => id === approval.jws.id)) return
  const isInForce = ({ compact: kept }: StoredApproval) =>
    !isViolation(
      approvingMember(
        ofStore(() => parseRegistryApproval(kept)),
        terms,
      ),
    )
  if (own.length >= MAX_STORED_APPROVALS || own.some(isInForce))
    throw new AmpereError('ALREADY_EXISTS', 'the member approved this already')
  await storeStatement(ports, after, proposalRow(action, 'approval', by, approval.jws.id), compact)
}

/**
 * Takes a proposal from the list. Approvals that were given stay what they are: whoever has enough of them can still use them.
 * @throws AmpereError SIGNATURE_INVALID, FORBIDDEN to others than who made it, NOT_FOUND
 */
export async function withdrawProposal(
  ports: RegistrarPorts,
  home: Home,
  action: Digest,
  compact: string,
): Promise<void> {
  const { link, keyOf, time, after } = await registryNow(ports, home)
  const withdrawal = await openWithdrawal(compact, keyOf, home.verifiers)
  if (withdrawal.registry !== link.place.registry)
    throw new AmpereError('VIOLATION', 'rule proposal-registry: the withdrawal is for another registry')
  const owner = rootOwner(withdrawal.kid, link.state, time)
  const stored = await loadProposals(ports.tables.registry, after)
  const proposal = stored
    .find((one) => one.action === action)
    ?.proposals.find(({ id }) => id === withdrawal.proposal)
  if (!proposal) throw new AmpereError('NOT_FOUND', 'there is no such proposal')
  if (owner === null || isViolation(owner) || owner.use !== 'root' || owner.institution !== proposal.by)
    throw new AmpereError('FORBIDDEN', 'only who made a proposal takes it back')
  const key = proposalRow(action, 'withdrawal', owner.institution, withdrawal.proposal)
  await storeStatement(ports, after, key, compact)
}

/** The registry as it is, if its home is here. @throws AmpereError CHAIN_MOVED, NOT_FOUND while it is empty */
export async function registryNow(ports: Pick<RegistrarPorts, 'now'>, home: Home) {
  const history = await home.registry.refresh()
  const link: RegistryLink | null = history.link()
  if (!link) throw new AmpereError('NOT_FOUND', 'the registry is empty')
  checkRegistryHome(home, link.state, null)
  // A block may be as late as its parent, whatever the clock here says.
  const time = toTimestamp(Math.max(ports.now(), timestampMs(link.place.time)))
  return { link, keyOf: history.keyOf, time, after: membershipHeight(link.state) }
}

/** Proposals that are neither taken back nor expired, with their action. */
export function openIn(stored: readonly StoredAction[], time: Timestamp) {
  return unexpired(stored, time).filter(({ isWithdrawn }) => !isWithdrawn)
}

function unexpired(stored: readonly StoredAction[], time: Timestamp) {
  return stored.flatMap(({ action, proposals }) =>
    proposals.filter((one) => !isExpired(one, time)).map((one) => ({ ...one, action })),
  )
}

function isExpired({ compact }: StoredProposal, time: Timestamp): boolean {
  const { expires } = ofStore(() => parseProposal(compact))
  return timestampMs(expires) < timestampMs(time)
}

/** What was taken was well-formed, so what is not was changed since. @throws AmpereError STORE_CORRUPT */
function ofStore<T>(parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a stored proposal or approval was changed', { cause })
  }
}

function allowed(judged: InstitutionId | Violation): InstitutionId {
  if (isViolation(judged)) throw new AmpereError('VIOLATION', `rule ${judged.rule}: ${judged.detail}`)
  return judged
}
