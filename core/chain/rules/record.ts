// SPDX-License-Identifier: Apache-2.0
import type { RecordBlock } from '../../block/block.ts'
import type { OpenedBlock } from '../../block/open-block.ts'
import { violation, type Violation } from '../../block/violation.ts'
import type { RegistryView } from '../../registry/snapshot.ts'
import { grantOf, type ControlState, type Link } from '../state.ts'
import { authorOf, isInForce } from './authority.ts'

/** Judges a record block: its author may append to every compartment that it names. The state stays. */
export function applyRecord(
  parent: Link,
  block: RecordBlock,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { state } = parent
  if (parent.opened.block.type === 'genesis') {
    return violation('first-control', 'height 1 is the control block with the first grants')
  }
  if (block.entries.epoch !== state.epoch.number) {
    return violation(
      'epoch',
      `entries are sealed for epoch ${block.entries.epoch}, not ${state.epoch.number}`,
    )
  }
  const known = new Set(state.compartments.map((compartment) => compartment.id))
  if (block.entries.compartments.some((id) => !known.has(id))) {
    return violation('compartment', 'entries are in a compartment that the chain does not have')
  }
  const author = authorOf(opened.kid, state.controllers, records)
  if (!author)
    return violation('author', 'the author is neither an active instance nor a device of the chain')
  if (author.kind === 'device') return state
  const grant = grantOf(state, author.institution)
  if (!grant || !isInForce(grant, block.time)) return violation('grant', 'the author has no grant in force')
  // Every reader may enter what it read, in whatever compartment the access chain keeps it. Who only holds reads nothing.
  if (state.purpose === 'access' && grant.rights.includes('read')) return state
  if (!grant.rights.includes('append')) return violation('right', 'the grant has no right to append')
  if (state.purpose === 'access') return state
  if (block.entries.compartments.some((id) => !grant.compartments.includes(id))) {
    return violation('compartment', 'the grant does not cover every compartment of the entries')
  }
  return state
}
