// SPDX-License-Identifier: Apache-2.0
import { isBefore } from '../bytes/timestamp.ts'
import { isViolation, violation, type Violation } from '../block/violation.ts'
import type { OpenedBlock } from '../block/open-block.ts'
import type { RegistryView } from '../registry/snapshot.ts'
import { applyControl } from './rules/control.ts'
import { applyErase } from './rules/erase.ts'
import { checkFrozen } from './rules/frozen.ts'
import { applyGenesis } from './rules/genesis.ts'
import { applyRecord } from './rules/record.ts'
import { applyRecover } from './rules/recover.ts'
import { applyRehome } from './rules/rehome.ts'
import { MAX_STATE_BYTES, stateHash, stateSize, type ControlState, type Link } from './state.ts'

/**
 * The one place with a chain's rules: judges `opened` as the successor of `parent` (null: as a genesis).
 *
 * Depends only on what the block names, so server, client, auditor and offline verifier reach the same
 * answer. `records` is the registry at the head that the block names.
 * @returns the link with the new state, or the first rule that is broken
 */
export function applyBlock(
  parent: Link | null,
  opened: OpenedBlock,
  records: RegistryView,
): Link | Violation {
  const state = stateAfter(parent, opened, records)
  if (isViolation(state)) return state
  if (stateHash(state) !== opened.block.state) {
    return violation('state-hash', 'the block names another state than the one its rules give')
  }
  return { opened, state }
}

/** Every rule but the last: the state that a block's rules give, for the author who has yet to name it. */
export function stateAfter(
  parent: Link | null,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const broken = checkPlace(parent, opened, records)
  if (broken) return broken
  const state = applyByType(parent, opened, records)
  if (!isViolation(state) && stateSize(state) > MAX_STATE_BYTES) {
    return violation('state-size', `control state is longer than ${MAX_STATE_BYTES} bytes`)
  }
  return state
}

function applyByType(
  parent: Link | null,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { block } = opened
  if (block.type === 'genesis') return applyGenesis(block, opened, records)
  if (!parent) return violation('first-block', 'a chain begins with a genesis')
  const frozen = checkFrozen(parent.state, opened, records)
  if (frozen) return frozen
  switch (block.type) {
    case 'record':
      return applyRecord(parent, block, opened, records)
    case 'control':
      return applyControl(parent, block, opened, records)
    case 'erase':
      return applyErase(parent, block, opened, records)
    case 'rehome':
      return applyRehome(parent, block, opened, records)
    case 'recover':
      return applyRecover(parent, block, opened, records)
  }
}

function checkPlace(parent: Link | null, opened: OpenedBlock, records: RegistryView): Violation | null {
  const { block } = opened
  if (records.head.height !== block.registry.height || records.head.id !== block.registry.id) {
    return violation('registry-head', 'the block names another registry head than the one it is judged by')
  }
  if (block.type === 'genesis') return parent ? violation('height', 'a genesis has no parent') : null
  if (!parent) return violation('first-block', 'a chain begins with a genesis')
  const before = parent.opened.block
  if (block.chain !== parent.opened.chain) return violation('chain', 'the block names another chain')
  if (block.height !== before.height + 1) {
    return violation('height', `height ${block.height} does not follow ${before.height}`)
  }
  if (block.prev !== parent.opened.id) return violation('prev', 'prev is not the id of the parent')
  if (isBefore(block.time, before.time)) return violation('time', "time is before the parent's")
  if (block.registry.height < before.registry.height) {
    return violation('registry-height', "the registry head is older than the parent's")
  }
  if (parent.state.ended) return violation('ended', 'the record was erased; nothing may follow')
  return null
}
