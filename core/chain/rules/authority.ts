// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId, Kid } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import type { Controller, Controllers, Grant } from '../../block/block.ts'
import type { Approval } from '../../block/approval.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { activeInstanceOf, keyRecordOf, type RegistryView } from '../../registry/snapshot.ts'
import { grantOf, type ControlState } from '../state.ts'

/** Who signed: an active instance of an institution, or a device that the state lists. */
export type Author =
  | {
      readonly kind: 'instance'
      readonly institution: InstitutionId
      readonly capabilities: readonly string[]
    }
  | { readonly kind: 'device'; readonly kid: Kid }

/** The author behind a `kid` at the registry head and state that a block names, or null. */
export function authorOf(kid: Kid, controllers: Controllers | null, records: RegistryView): Author | null {
  if (controllers?.members.some((member) => member.kind === 'device' && member.kid === kid)) {
    return { kind: 'device', kid }
  }
  const active = activeInstanceOf(records, kid)
  if (!active) return null
  return {
    kind: 'instance',
    institution: active.institution.id,
    capabilities: active.instance.capabilities,
  }
}

/** The grant is in force at `time`. */
export function isInForce(grant: Grant, time: Timestamp): boolean {
  return grant.until === null || timestampMs(time) < timestampMs(grant.until)
}

/**
 * When the grant ends by which a record block was written; null where it does not, and for a device, which needs none.
 * @param state before the block; null of a genesis
 * @param records the newest registry that the verifier has: a key belongs to one owner for ever
 */
export function grantEnd(
  state: ControlState | null,
  { kid, block }: ParsedBlock,
  records: RegistryView,
): Timestamp | null {
  if (!state || block.type !== 'record') return null
  const owner = keyRecordOf(records, kid)?.owner
  const isDevice = state.controllers.members.some((member) => member.kind === 'device' && member.kid === kid)
  if (isDevice || !owner || !('institution' in owner)) return null
  return grantOf(state, owner.institution)?.until ?? null
}

/** The controller for which a `kid` may speak: a device for itself, an institution through capability `control`. */
export function controllerOf(kid: Kid, controllers: Controllers, records: RegistryView): Controller | null {
  const author = authorOf(kid, controllers, records)
  if (!author) return null
  return (
    controllers.members.find((member) =>
      author.kind === 'device'
        ? member.kind === 'device' && member.kid === author.kid
        : member.kind === 'institution' &&
          member.institution === author.institution &&
          author.capabilities.includes('control'),
    ) ?? null
  )
}

/** What approvals must say to count: this chain, this state's `seq`, this action, and not expired. */
export interface ApprovalDemand {
  readonly chain: string | null
  readonly seq: number
  readonly action: string
  readonly time: Timestamp
  readonly controllers: Controllers
}

/**
 * Judges approvals: each must fit the demand and come from a distinct key; the number of
 * distinct controllers must reach the threshold. `perInstitution` is how many of its instances an
 * institution needs (two for an erase), so that one stolen instance key cannot erase.
 */
export function checkApprovals(
  approvals: readonly Approval[],
  demand: ApprovalDemand,
  records: RegistryView,
  perInstitution = 1,
): Violation | null {
  const seen = new Set<string>()
  const kids = new Map<string, number>()
  for (const approval of approvals) {
    const { kid } = approval.jws
    const broken = checkFit(approval, demand)
    if (broken) return broken
    if (seen.has(kid)) return violation('approval-twice', 'one key approves twice')
    seen.add(kid)
    const controller = controllerOf(kid, demand.controllers, records)
    if (!controller) continue
    const name = controller.kind === 'device' ? controller.kid : controller.institution
    kids.set(name, (kids.get(name) ?? 0) + 1)
  }
  const reached = demand.controllers.members.filter((member) => {
    const count = kids.get(member.kind === 'device' ? member.kid : member.institution) ?? 0
    return count >= (member.kind === 'institution' ? perInstitution : 1)
  })
  if (reached.length < demand.controllers.threshold) {
    return violation(
      'threshold',
      `${reached.length} controllers approve, ${demand.controllers.threshold} must`,
    )
  }
  return null
}

/** True when somebody who may identify people approves. */
export function isVouchedFor(approvals: readonly Approval[], records: RegistryView): boolean {
  return approvals.some(
    ({ jws }) => activeInstanceOf(records, jws.kid)?.instance.capabilities.includes('identify') === true,
  )
}

/** True when devices alone reach the threshold: the patient's own decision. */
export function isPatientsOwn(approvals: readonly Approval[], state: ControlState): boolean {
  const devices = state.controllers.members.filter(
    (member) => member.kind === 'device' && approvals.some((approval) => approval.jws.kid === member.kid),
  )
  return devices.length >= state.controllers.threshold
}

function checkFit(approval: Approval, demand: ApprovalDemand): Violation | null {
  if (approval.chain !== demand.chain) return violation('approval-chain', 'an approval is for another chain')
  if (approval.seq !== demand.seq)
    return violation('approval-seq', 'an approval is for another state of the chain')
  if (approval.action !== demand.action)
    return violation('approval-action', 'an approval is for another action')
  if (timestampMs(approval.expires) < timestampMs(demand.time)) {
    return violation('approval-expired', 'an approval had expired at the time of the block')
  }
  return null
}
