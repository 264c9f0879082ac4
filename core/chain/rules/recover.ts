// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import type { Digest } from '../../bytes/ids.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { actionOf } from '../../block/approval.ts'
import { MAX_PENDING, type RecoverBlock } from '../../block/block.ts'
import type { OpenedBlock } from '../../block/open-block.ts'
import { firstViolation, violation, type Violation } from '../../block/violation.ts'
import { digestOf } from '../../crypto/hash.ts'
import type { RegistryView } from '../../registry/snapshot.ts'
import { devicesOf, memberName, type ControlState, type Link, type PendingRecovery } from '../state.ts'
import { authorOf, checkApprovals, controllerOf, isVouchedFor } from './authority.ts'
import { checkControllers, checkNewDevices, checkSameDevices } from './genesis.ts'
import { checkEpoch, checkReaders, keysAfter } from './keys.ts'

/** How long a requested recovery can be cancelled: 72 hours. Part of the format. */
export const RECOVER_DELAY_MS = 72 * 60 * 60 * 1000
/** How far ahead a recovery may be set at most, in milliseconds: 30 days, since whom it removes change nothing meanwhile. Part of the format. */
export const MAX_RECOVER_DELAY_MS = 30 * 24 * 60 * 60 * 1000

/** What a pending recovery commits to: SHA-256 of the canonical controllers and recovery. */
export function recoverAction(body: Pick<RecoverBlock['body'], 'controllers' | 'recovery'>): Digest {
  const { controllers, recovery } = body
  return digestOf(canonicalBytes({ controllers, recovery }))
}

/**
 * Judges a recover block: those whom the chain lists for it ask for other controllers, which takes effect after a delay unless a
 * controller cancels it.
 */
export function applyRecover(
  parent: Link,
  block: RecoverBlock,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { state } = parent
  const { body } = block
  const settles = body.act !== 'request'
  const broken = firstViolation([
    () =>
      parent.opened.block.type === 'genesis'
        ? violation('first-control', 'height 1 is the control block with the first grants')
        : null,
    () => checkAuthor(state, block, opened, records),
    () =>
      settles === (body.request === null) || (settles && body.approvals.length > 0)
        ? violation('recover-request', 'only a request has approvals, and only it names no request')
        : null,
    () =>
      body.act !== 'complete' && (body.epoch !== null || body.packages !== null)
        ? violation('recover-request', 'only a completion brings keys')
        : null,
  ])
  if (broken) return broken
  switch (body.act) {
    case 'request':
      return request(state, block, opened, records)
    case 'complete':
      return complete(state, block, opened, records)
    case 'cancel':
      return cancel(state, block, opened, records)
  }
}

function checkAuthor(
  state: ControlState,
  { body: { act } }: RecoverBlock,
  { kid }: OpenedBlock,
  records: RegistryView,
): Violation | null {
  if (act === 'cancel')
    return controllerOf(kid, state.controllers, records)
      ? null
      : violation('author', 'the author speaks for no controller')
  // Of a completion that is judged by what its request named.
  if (act === 'complete') return null
  return authorOf(kid, state.controllers, records) || authorOf(kid, state.recovery, records)
    ? null
    : violation('author', 'the author is not an active instance, device or key for recovery')
}

function request(
  state: ControlState,
  block: RecoverBlock,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { body } = block
  if (state.recovery === null) return violation('recovery', 'nobody is listed who may recover the chain')
  // Erasures are not counted: a thief could have as many wait as may.
  if (state.pending.filter(({ kind }) => kind === 'recover').length >= MAX_PENDING)
    return violation('pending', `more than ${MAX_PENDING} recoveries are pending`)
  const demand = {
    chain: opened.chain,
    seq: state.seq,
    action: actionOf('recover', body),
    time: block.time,
    controllers: state.recovery,
  }
  const before = [state.controllers, state.recovery]
  const known = { before, isVouchingNeeded: false }
  const broken = firstViolation([
    () => checkApprovals(opened.approvals, demand, records),
    () => checkControllers(body.controllers, records),
    () => checkNewDevices({ ...known, next: body.controllers }, opened, records),
    () => body.recovery && checkControllers(body.recovery, records),
    () => body.recovery && checkNewDevices({ ...known, next: body.recovery }, opened, records),
    () => checkRemoved(state, body),
  ])
  if (broken) return broken
  if (timestampMs(body.notBefore) < timestampMs(block.time) + RECOVER_DELAY_MS)
    return violation('recover-delay', 'notBefore is earlier than the delay allows')
  if (timestampMs(body.notBefore) > timestampMs(block.time) + MAX_RECOVER_DELAY_MS)
    return violation('recover-delay', 'notBefore is more than 30 days after the block')
  const identified = isVouchedFor(opened.approvals, records)
  const pending: PendingRecovery = {
    kind: 'recover',
    height: block.height,
    action: recoverAction(body),
    notBefore: body.notBefore,
    identified,
    frozen: identified ? removedBy(state, body) : [],
  }
  return { ...state, seq: state.seq + 1, pending: [...state.pending, pending] }
}

function removedBy(state: ControlState, { controllers }: RecoverBlock['body']): readonly string[] {
  const stay = new Set<string>(controllers.members.map(memberName))
  return state.controllers.members
    .map((member): string => memberName(member))
    .filter((name) => !stay.has(name))
    .toSorted()
}

/** A device that is lost must not recover the chain next. */
function checkRemoved(
  state: ControlState,
  { controllers, recovery }: RecoverBlock['body'],
): Violation | null {
  const stay = new Set(devicesOf(controllers).map(({ kid }) => kid))
  const removed = devicesOf(state.controllers).filter(({ kid }) => !stay.has(kid))
  return devicesOf(recovery).some(({ kid }) => removed.some((device) => device.kid === kid))
    ? violation('recover-device', 'a device that is removed is listed for recovery')
    : null
}

/** The completion replaces the controllers as a whole, whatever became of them meanwhile, and ends every other recovery. */
function complete(
  state: ControlState,
  block: RecoverBlock,
  { kid }: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { body, time, height } = block
  const pending = pendingOf(state, block)
  if ('rule' in pending) return pending
  // Who completes it chooses the new keys, and the lists of the state may be a thief's by then.
  const isNamed = [body.controllers, body.recovery].some(
    (listed) => listed && controllerOf(kid, listed, records),
  )
  if (!isNamed) return violation('recover-author', 'the author speaks for nobody whom the request names')
  if (timestampMs(time) < timestampMs(pending.notBefore))
    return violation('recover-early', 'the delay has not passed')
  const after: ControlState = {
    ...state,
    ...keysAfter(state, body.epoch, height),
    seq: state.seq + 1,
    controllers: body.controllers,
    recovery: body.recovery,
    // Those who were listed then asked for the others too.
    pending: state.pending.filter((step) => step.kind !== 'recover'),
  }
  return (
    firstViolation([
      () => checkControllers(body.controllers, records),
      () => body.recovery && checkControllers(body.recovery, records),
      () => checkEpoch(state, body),
      () => checkSameDevices(after),
      () => checkReaders(state, after, body),
    ]) ?? after
  )
}

/** Whoever is to be removed, as with a stolen device, has no say where somebody saw who asks. */
function cancel(
  state: ControlState,
  block: RecoverBlock,
  { kid }: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const pending = pendingOf(state, block)
  if ('rule' in pending) return pending
  const controller = controllerOf(kid, state.controllers, records)
  const stays = block.body.controllers.members.some(
    (member) => controller !== null && memberName(member) === memberName(controller),
  )
  if (pending.identified && !stays)
    return violation('recover-removed', 'who is to be removed cannot cancel it: its request was vouched for')
  return { ...state, seq: state.seq + 1, pending: state.pending.filter((step) => step !== pending) }
}

function pendingOf(state: ControlState, { body }: RecoverBlock): PendingRecovery | Violation {
  const pending = state.pending.find(
    (step): step is PendingRecovery => step.kind === 'recover' && step.height === body.request,
  )
  if (!pending) return violation('pending', 'no such request is pending')
  return pending.action === recoverAction(body) && pending.notBefore === body.notBefore
    ? pending
    : violation('recover-action', 'it differs from the request')
}
