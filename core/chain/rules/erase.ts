// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import type { Digest } from '../../bytes/ids.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { actionOf } from '../../block/approval.ts'
import { MAX_PENDING, type EraseBlock } from '../../block/block.ts'
import type { OpenedBlock } from '../../block/open-block.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { digestOf } from '../../crypto/hash.ts'
import type { RegistryView } from '../../registry/snapshot.ts'
import type { ControlState, Link, PendingErasure } from '../state.ts'
import { checkApprovals, controllerOf, isPatientsOwn } from './authority.ts'

/** How long a requested erasure can be cancelled, unless the patient alone decides: 72 hours. Part of the format. */
export const ERASE_DELAY_MS = 72 * 60 * 60 * 1000
/** Instances of one institution that must approve its erasure, so that one stolen key cannot erase. */
const ERASE_INSTANCES = 2

/** What a pending erasure commits to: SHA-256 of the canonical ground, scope and targets. */
export function eraseAction(body: Pick<EraseBlock['body'], 'ground' | 'scope' | 'targets'>): Digest {
  const { ground, scope, targets } = body
  return digestOf(canonicalBytes({ ground, scope, targets }))
}

/** Judges an erase block: a request, its completion after the delay, or its cancellation. */
export function applyErase(
  parent: Link,
  block: EraseBlock,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { state } = parent
  const { body } = block
  if (parent.opened.block.type === 'genesis') {
    return violation('first-control', 'height 1 is the control block with the first grants')
  }
  if (!controllerOf(opened.kid, state.controllers, records)) {
    return violation('author', 'the author speaks for no controller')
  }
  if ((body.act === 'request') !== (body.request === null)) {
    return violation('erase-request', 'a request names none, and completion and cancellation name one')
  }
  if (body.act !== 'request' && body.approvals.length > 0) {
    return violation('erase-request', 'only a request is approved; what settles it names the request')
  }
  switch (body.act) {
    case 'request':
      return request(state, block, opened, records)
    case 'complete':
      return complete(state, block)
    case 'cancel':
      return cancel(state, block)
  }
}

function request(
  state: ControlState,
  block: EraseBlock,
  opened: OpenedBlock,
  records: RegistryView,
): ControlState | Violation {
  const { body } = block
  if (state.hold) return violation('hold', 'the record is on hold')
  if (state.purpose === 'access' && body.scope === 'entries') {
    return violation('access-erase', 'single entries of an access chain cannot be erased')
  }
  if ((body.scope === 'record') !== (body.targets.length === 0)) {
    return violation('targets', 'an erasure of entries, and only that, names targets')
  }
  if (body.targets.some((target) => target.height >= block.height)) {
    return violation('targets', 'a target is not below the request')
  }
  if (state.pending.filter(({ kind }) => kind === 'erase').length >= MAX_PENDING)
    return violation('pending', `more than ${MAX_PENDING} erasures are pending`)
  const demand = {
    chain: opened.chain,
    seq: state.seq,
    action: actionOf('erase', body),
    time: block.time,
    controllers: state.controllers,
  }
  const broken = checkApprovals(opened.approvals, demand, records, ERASE_INSTANCES)
  if (broken) return broken
  const delay = isPatientsOwn(opened.approvals, state) ? 0 : ERASE_DELAY_MS
  if (timestampMs(body.notBefore) < timestampMs(block.time) + delay) {
    return violation('erase-delay', 'notBefore is earlier than the delay allows')
  }
  const pending: PendingErasure = {
    kind: 'erase',
    height: block.height,
    action: eraseAction(body),
    notBefore: body.notBefore,
  }
  return { ...state, seq: state.seq + 1, pending: [...state.pending, pending] }
}

function complete(state: ControlState, block: EraseBlock): ControlState | Violation {
  const { body } = block
  const pending = state.pending.find((step) => step.kind === 'erase' && step.height === body.request)
  if (!pending) return violation('pending', 'no such request is pending')
  if (state.hold) return violation('hold', 'the record is on hold')
  if (pending.action !== eraseAction(body) || pending.notBefore !== body.notBefore) {
    return violation('erase-action', 'the completion differs from the request')
  }
  if (timestampMs(block.time) < timestampMs(pending.notBefore)) {
    return violation('erase-early', 'the delay has not passed')
  }
  const rest = state.pending.filter((step) => step !== pending)
  return { ...state, seq: state.seq + 1, pending: rest, ended: body.scope === 'record' }
}

function cancel(state: ControlState, block: EraseBlock): ControlState | Violation {
  const { body } = block
  const pending = state.pending.find((step) => step.kind === 'erase' && step.height === body.request)
  if (!pending) return violation('pending', 'no such request is pending')
  if (pending.action !== eraseAction(body) || pending.notBefore !== body.notBefore) {
    return violation('erase-action', 'the cancellation differs from the request')
  }
  return { ...state, seq: state.seq + 1, pending: state.pending.filter((step) => step !== pending) }
}
