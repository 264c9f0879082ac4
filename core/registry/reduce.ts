// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../bytes/timestamp.ts'
import { isViolation, violation, type Violation } from '../block/violation.ts'
import type { OpenedRegistryBlock } from './block.ts'
import { recordKey, type RegistryRecord } from './records.ts'
import { approvingMembers } from './rules/approvals.ts'
import { applyChange } from './rules/changes.ts'
import { checkRecords } from './rules/genesis.ts'
import { membersAt, membershipRecord, rootOwner } from './rules/members.ts'
import { isMembershipChange } from './rules/membership.ts'
import { judgeRenewal } from './rules/renew.ts'
import { emptyState, putRecords, stateRoot, type RegistryState } from './state.ts'

/** What the reducer remembers beside the records: the place of the newest block. */
export interface RegistryPlace {
  readonly registry: Digest
  readonly height: number
  readonly id: Digest
  readonly time: Timestamp
}

/** The registry after a block. */
export interface RegistryLink {
  readonly state: RegistryState
  readonly place: RegistryPlace
  /** Records that the block put in place. */
  readonly changed: readonly RegistryRecord[]
}

/**
 * The one place with the registry's rules: judges a block as the successor of `parent` (null: as a genesis).
 * Pure and synchronous; signatures were checked when the block was opened.
 */
export function applyRegistryBlock(
  parent: RegistryLink | null,
  opened: OpenedRegistryBlock,
): RegistryLink | Violation {
  const link = registryLinkAfter(parent, opened)
  if (isViolation(link)) return link
  if (stateRoot(link.state) !== opened.block.state) {
    return violation('state-root', 'the block names another state than the one its rules give')
  }
  return link
}

/** Every rule but the last, for the author who has yet to name the state. */
export function registryLinkAfter(
  parent: RegistryLink | null,
  opened: OpenedRegistryBlock,
): RegistryLink | Violation {
  const broken = checkPlace(parent, opened)
  if (broken) return broken
  const changed = opened.block.type === 'genesis' ? judgeGenesis(opened) : judgeChange(parent, opened)
  if (isViolation(changed)) return changed
  const { id, block } = opened
  return {
    state: putRecords(parent?.state ?? emptyState(), changed),
    changed,
    place: { registry: parent?.place.registry ?? id, height: block.height, id, time: block.time },
  }
}

function checkPlace(parent: RegistryLink | null, { block }: OpenedRegistryBlock): Violation | null {
  if (block.type === 'genesis') {
    return parent || block.height !== 0 ? violation('height', 'a genesis is the first block') : null
  }
  if (!parent) return violation('first-block', 'a registry begins with a genesis')
  if (block.registry !== parent.place.registry)
    return violation('registry', 'the block is for another registry')
  if (block.height !== parent.place.height + 1) return violation('height', 'the height does not follow')
  if (block.prev !== (parent.place.id as string)) return violation('prev', 'prev is not the id of the parent')
  if (timestampMs(block.time) < timestampMs(parent.place.time)) {
    return violation('time', "time is before the parent's")
  }
  return null
}

/** A genesis needs the approval of every founder, and nothing else may be in it than what founders bring. */
function judgeGenesis(opened: OpenedRegistryBlock): readonly RegistryRecord[] | Violation {
  const { block } = opened
  if (block.type !== 'genesis') return violation('first-block', 'a registry begins with a genesis')
  const { time } = block
  const records = block.body.records.map((record): RegistryRecord =>
    record.kind === 'institution' ? { ...record, from: time } : record,
  )
  const state = putRecords(emptyState(), records)
  const broken = checkRecords(block.body.records, state)
  if (broken) return broken
  const founders = membersAt(state, time)
  if (founders.length === 0) return violation('founders', 'a registry has at least one founder')
  const author = rootOwner(opened.kid, state, time)
  if (isViolation(author) || author?.use !== 'root')
    return violation('author', "the author is no founder's root key")
  const approvers = approvingMembers(opened, state, null)
  if (isViolation(approvers)) return approvers
  if (founders.some((founder) => !approvers.has(founder)))
    return violation('founders', 'a founder did not approve')
  return [...records, membershipRecord(0)]
}

function judgeChange(
  parent: RegistryLink | null,
  opened: OpenedRegistryBlock,
): readonly RegistryRecord[] | Violation {
  const { block } = opened
  if (!parent || block.type !== 'change') return violation('first-block', 'a registry begins with a genesis')
  const author = rootOwner(opened.kid, parent.state, block.time)
  if (!author) return judgeRenewal(parent.state, opened)
  if (isViolation(author)) return author
  const approvers = approvingMembers(opened, parent.state, parent.place.registry)
  if (isViolation(approvers)) return approvers
  let state = parent.state
  const changed = new Map<string, RegistryRecord>()
  for (const change of block.body.changes) {
    const records = applyChange(state, change, {
      author: author.institution,
      use: author.use,
      height: block.height,
      time: block.time,
      approvers,
      parent: parent.state,
    })
    if (isViolation(records)) return records
    state = putRecords(state, records)
    for (const record of records) changed.set(recordKey(record), record)
  }
  const spends = block.body.changes.some(isMembershipChange)
  return [...changed.values(), ...(spends ? [membershipRecord(block.height)] : [])]
}
