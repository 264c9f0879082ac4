// SPDX-License-Identifier: Apache-2.0
import { actionOf } from '../../block/approval.ts'
import type { Home, RehomeBlock } from '../../block/block.ts'
import type { OpenedBlock } from '../../block/open-block.ts'
import { firstViolation, violation, type Violation } from '../../block/violation.ts'
import { recordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { ControlState, Link } from '../state.ts'
import { authorOf, checkApprovals } from './authority.ts'

/**
 * Judges a rehome: controllers, as many as the threshold, move the chain to a deployment that the registry lists. It is
 * the first block of the chain at its new home, in whose log its receipt and all later ones are.
 */
export function applyRehome(
  parent: Link,
  block: RehomeBlock,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { state } = parent
  const { home, from } = block.body
  const demand = {
    chain: opened.chain,
    seq: state.seq,
    action: actionOf('rehome', block.body),
    time: block.time,
    controllers: state.controllers,
  }
  const broken = firstViolation([
    () =>
      parent.opened.block.type === 'genesis'
        ? violation('first-control', 'height 1 is the control block with the first grants')
        : null,
    () =>
      authorOf(opened.kid, state.controllers, records)
        ? null
        : violation('author', 'the author is not an active instance or device'),
    () => checkApprovals(opened.approvals, demand, records),
    () =>
      from.deployment === state.home.deployment && from.origin === state.home.origin
        ? null
        : violation('from-home', 'the chain leaves another home than the one that it names'),
    // Logs are named after origins: two homes at one origin could not be told apart by their receipts.
    () => (home.origin === from.origin ? violation('home', 'the chain is at this origin already') : null),
    () => checkListed(home, records),
  ])
  return broken ?? { ...state, seq: state.seq + 1, home }
}

/** Nobody moves a chain to a place that no active institution answers for. */
function checkListed({ deployment, origin }: Home, records: RegistryView): Violation | null {
  const record = recordOf(records, 'deployment', deployment)
  if (record?.origin !== origin)
    return violation('home', 'the new home is no deployment of the registry at that origin')
  const { institution } = record
  return recordOf(records, 'institution', institution)?.status === 'active'
    ? null
    : violation('home', "the new home's institution is not active")
}
