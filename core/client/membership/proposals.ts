// SPDX-License-Identifier: Apache-2.0
import type { Digest, InstitutionId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { verifyJws } from '../../block/jws.ts'
import { isViolation, type Violation } from '../../block/violation.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { parseRegistryApproval } from '../../registry/block.ts'
import { agreed, judgeProposal, openProposal, type Proposal } from '../../registry/proposal.ts'
import type { RegistryLink } from '../../registry/reduce.ts'
import { approvingMember } from '../../registry/rules/approvals.ts'
import { membersAt } from '../../registry/rules/members.ts'
import type { Connection } from '../connect.ts'
import { syncRegistry } from '../read/replica.ts'

/** An open proposal, with what was verified of it here: nothing in it is the home's word. */
export interface OpenProposal {
  readonly proposal: Proposal
  readonly by: InstitutionId
  /** One valid approval of each member that gave one. */
  readonly approvals: ReadonlyMap<InstitutionId, string>
  /** Members that have not approved, and whose approval counts. */
  readonly missing: readonly InstitutionId[]
  /** What keeps it from being in force now; null as soon as somebody adds the block. */
  readonly lacks: Violation | null
}

/** The proposals that the home shows and that verify; others are left out, as if the home had not shown them. */
export async function openProposals(connection: Connection): Promise<readonly OpenProposal[]> {
  const { api, sync, ports } = connection
  await syncRegistry(sync)
  const items = await api.proposals()
  // A change that came between is seen, so that nothing is shown that is spent.
  await syncRegistry(sync)
  const link = newestLink(connection)
  const time = timeAfter(link, ports.now())
  const open: OpenProposal[] = []
  for (const item of items) {
    const proposal = await unlessBroken(openProposal(item.proposal, sync.registry.keyOf, sync.verifiers))
    const by = proposal && judgeProposal(proposal, link, time)
    if (!proposal || by === null || isViolation(by)) continue
    const approvals = await validApprovals(connection, item.approvals, {
      link,
      time,
      action: proposal.action,
    })
    open.push({ proposal, by, approvals, ...countedOf(link, proposal, by, approvals, time) })
  }
  return open.filter(({ proposal }, i) => open.findIndex((one) => one.proposal.id === proposal.id) === i)
}

/** The newest verified block. @throws AmpereError NOT_FOUND */
export function newestLink({ sync }: Connection): RegistryLink {
  const link = sync.registry.link()
  if (!link) throw new AmpereError('NOT_FOUND', 'the registry is empty')
  return link
}

/** The time that the next block would have. */
export function timeAfter({ place }: RegistryLink, nowMs: number): Timestamp {
  return toTimestamp(Math.max(nowMs, timestampMs(place.time)))
}

function countedOf(
  link: RegistryLink,
  { changes }: Proposal,
  by: InstitutionId,
  approvals: ReadonlyMap<InstitutionId, string>,
  time: Timestamp,
): Pick<OpenProposal, 'missing' | 'lacks'> {
  const subjects = changes.flatMap((change) => (change.act === 'remove' ? [change.institution] : []))
  // Where several are removed, each votes on the others.
  const isAsked = (id: InstitutionId) => changes.length > 1 || !subjects.includes(id)
  const missing = membersAt(link.state, time).filter((id) => !approvals.has(id) && isAsked(id))
  const lacks = agreed(link, changes, { author: by, approvers: new Set(approvals.keys()), time })
  return { missing: missing.toSorted(), lacks }
}

async function validApprovals(
  { sync }: Connection,
  given: readonly string[],
  { link, time, action }: { readonly link: RegistryLink; readonly time: Timestamp; readonly action: Digest },
): Promise<ReadonlyMap<InstitutionId, string>> {
  const terms = { registry: link.place.registry, action, time, state: link.state }
  const valid = new Map<InstitutionId, string>()
  for (const compact of given) {
    const member = await unlessBroken(
      (async () => {
        const approval = parseRegistryApproval(compact)
        const key = sync.registry.keyOf(approval.jws.kid)
        if (!key) return null
        await verifyJws(approval.jws, key, sync.verifiers)
        const judged = approvingMember(approval, terms)
        return isViolation(judged) ? null : judged
      })(),
    )
    if (member !== null && !valid.has(member)) valid.set(member, compact)
  }
  return valid
}

/** What a home shows beside what is right must not hide what is right. */
async function unlessBroken<T>(opening: Promise<T>): Promise<T | null> {
  try {
    return await opening
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}
