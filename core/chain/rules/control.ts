// SPDX-License-Identifier: Apache-2.0
import { timestampMs } from '../../bytes/timestamp.ts'
import { actionOf } from '../../block/approval.ts'
import { MAX_GRANTS, type ControlBlock, type Grant } from '../../block/block.ts'
import type { OpenedBlock } from '../../block/open-block.ts'
import { firstViolation, violation, type Violation } from '../../block/violation.ts'
import { recordOf, type RegistryView } from '../../registry/snapshot.ts'
import { rotationDue } from '../rotation.ts'
import type { ControlState, Link } from '../state.ts'
import { authorOf, checkApprovals, controllerOf } from './authority.ts'
import { checkControllers, checkNewDevices, checkSameDevices } from './genesis.ts'
import { checkEpoch, checkReaders, keysAfter } from './keys.ts'

/** Judges a control block: a change that the threshold approves, or a rotation by any one controller. */
export function applyControl(
  parent: Link,
  block: ControlBlock,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const before = parent.state
  const broken =
    block.body.act === 'rotate'
      ? checkRotation(parent, block, opened, records)
      : checkChange(parent, block, opened, records)
  if (broken) return broken
  const after = change(before, block)
  if (after.grants.length > MAX_GRANTS) return violation('grants', `more than ${MAX_GRANTS} grants`)
  return checkSameDevices(after) ?? checkReaders(before, after, block.body) ?? after
}

function checkRotation(
  parent: Link,
  block: ControlBlock,
  opened: OpenedBlock,
  records: RegistryView,
): Violation | null {
  const before = parent.state
  const { body } = block
  const due = new Set<string>(rotationDue(before, records, block.time).map((item) => item.institution))
  const onlyKeys =
    body.grants.put.length === 0 &&
    body.controllers === null &&
    body.hold === null &&
    body.access === null &&
    body.recovery === undefined &&
    body.approvals.length === 0
  return firstViolation([
    () =>
      controllerOf(opened.kid, before.controllers, records)
        ? null
        : violation('author', 'the author speaks for no controller'),
    () => checkFirst(parent, block, opened),
    () => (onlyKeys ? null : violation('rotate', 'a rotation changes keys and revoked readers only')),
    () => (body.epoch ? null : violation('rotate', 'a rotation brings a new epoch')),
    () =>
      body.grants.remove.some((id) => !due.has(id))
        ? violation('rotate', 'a rotation drops a reader that is active and whose grant is in force')
        : null,
    () => checkGrants(before, block, records),
    () => checkEpoch(before, block.body),
  ])
}

function checkChange(
  parent: Link,
  block: ControlBlock,
  opened: OpenedBlock,
  records: RegistryView,
): Violation | null {
  const before = parent.state
  const demand = {
    chain: opened.chain,
    seq: before.seq,
    action: actionOf('control', block.body),
    time: block.time,
    controllers: before.controllers,
  }
  return firstViolation([
    () =>
      authorOf(opened.kid, before.controllers, records)
        ? null
        : violation('author', 'the author is not an active instance or device'),
    () => checkFirst(parent, block, opened),
    () => checkApprovals(opened.approvals, demand, records),
    () => checkGrants(before, block, records),
    () => checkEpoch(before, block.body),
    () => checkNewControllers(before, block, opened, records),
    () => checkAccess(before, block),
  ])
}

function checkFirst(parent: Link, block: ControlBlock, opened: OpenedBlock): Violation | null {
  if (parent.opened.block.type !== 'genesis') return null
  if (opened.kid !== parent.opened.kid) {
    return violation('first-control', "the first control is not by the genesis's author")
  }
  if (block.body.grants.put.length === 0 || block.body.packages === null) {
    return violation('first-control', 'the first control carries no grants or no packages')
  }
  return null
}

function checkGrants(before: ControlState, block: ControlBlock, records: RegistryView): Violation | null {
  const known = new Set(before.compartments.map((compartment) => compartment.id))
  for (const grant of block.body.grants.put) {
    if (recordOf(records, 'institution', grant.institution)?.status !== 'active') {
      return violation('grantee', 'a grant is for no active institution')
    }
    if (grant.compartments.some((id) => !known.has(id))) {
      return violation('compartment', 'a grant is for a compartment that the chain does not have')
    }
    if (grant.until !== null && timestampMs(grant.until) <= timestampMs(block.time)) {
      return violation('grant-until', 'a grant ends before it begins')
    }
  }
  const granted = new Set<string>(before.grants.map((grant) => grant.institution))
  const put = new Set<string>(block.body.grants.put.map((grant) => grant.institution))
  if (block.body.grants.remove.some((id) => !granted.has(id) || put.has(id))) {
    return violation('grant-remove', 'a grant is removed that is not there, or is also put')
  }
  return null
}

function checkNewControllers(
  before: ControlState,
  block: ControlBlock,
  opened: OpenedBlock,
  records: RegistryView,
): Violation | null {
  const { controllers, recovery = null } = block.body
  const listed = [before.controllers, before.recovery, controllers]
  return firstViolation([
    () => controllers && checkControllers(controllers, records),
    () =>
      controllers &&
      checkNewDevices(
        { before: [before.controllers], next: controllers, isVouchingNeeded: true },
        opened,
        records,
      ),
    () => recovery && checkControllers(recovery, records),
    // A device that is listed already proved itself; a printed sheet did not.
    () =>
      recovery &&
      checkNewDevices({ before: listed, next: recovery, isVouchingNeeded: true }, opened, records),
  ])
}

function checkAccess(before: ControlState, block: ControlBlock): Violation | null {
  if (block.body.access === null) return null
  if (before.purpose !== 'record') return violation('access', 'an access chain has no access chain')
  return before.access === null ? null : violation('access', 'the access chain is named already')
}

function change(before: ControlState, block: ControlBlock): ControlState {
  const { body } = block
  const dropped = new Set<string>([
    ...body.grants.remove,
    ...body.grants.put.map((grant) => grant.institution),
  ])
  const kept = before.grants.filter((grant) => !dropped.has(grant.institution))
  return {
    ...before,
    ...keysAfter(before, body.epoch, block.height),
    seq: before.seq + 1,
    controllers: body.controllers ?? before.controllers,
    recovery: body.recovery === undefined ? before.recovery : body.recovery,
    grants: [...kept, ...body.grants.put].toSorted(byInstitution),
    access: body.access ?? before.access,
    hold: body.hold ?? before.hold,
  }
}

function byInstitution(a: Grant, b: Grant): number {
  return a.institution < b.institution ? -1 : 1
}
