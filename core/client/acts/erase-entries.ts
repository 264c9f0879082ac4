// SPDX-License-Identifier: Apache-2.0
import type { ChainId, EntryId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import type { EraseBlock } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { ERASE_DELAY_MS, eraseAction } from '../../chain/rules/erase.ts'
import type { ControlState, Pending } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'
import { blockReceipt } from '../receipt/block-receipt.ts'
import { DELAY_MARGIN_MS, delaySeenFrom } from '../receipt/rules/delays.ts'
import { signStep, type Step, type StepContext } from '../sign/sign-step.ts'
import { stepContext, submitStep } from './submit.ts'
import { verifiedBlock } from './verified-block.ts'

/** What is to be erased, and why. */
export interface Erasure {
  readonly scope: 'entries' | 'record'
  readonly entries: readonly { readonly height: number; readonly id: EntryId }[]
  readonly ground: EraseBlock['body']['ground']
}

/**
 * Requests an erasure. With `patient` (the patient's own devices) it may be completed at once,
 * otherwise after 72 hours; any controller cancels until then.
 */
export async function requestErasure(
  connection: Connection,
  chain: ChainId,
  erasure: Erasure,
  approvers: { readonly patient?: readonly Signer[]; readonly instances?: readonly Signer[] },
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const patient = approvers.patient ?? []
  const delay = patient.length > 0 ? 0 : ERASE_DELAY_MS
  const context: StepContext = {
    ...stepContext(connection, []),
    author: patient[0] ?? connection.ports.identity.signer,
    approvers: patient.length > 0 ? patient : (approvers.instances ?? [connection.ports.identity.signer]),
  }
  const step = (time: Timestamp): Step => ({
    type: 'erase',
    body: {
      act: 'request',
      request: null,
      scope: erasure.scope,
      targets: targetsOf(erasure),
      ground: erasure.ground,
      notBefore: toTimestamp(timestampMs(time) + delay),
    },
  })
  return submitStep(connection, await signStep(context, replica, step))
}

/** The pending request for the very same, on whatever ground, or undefined. */
export function pendingErasure(state: ControlState, erasure: Erasure): Pending | undefined {
  const { scope } = erasure
  const targets = targetsOf(erasure)
  const same = new Set<string>(GROUNDS.map((ground) => eraseAction({ ground, scope, targets })))
  return state.pending.find(({ action }) => same.has(action))
}

const GROUNDS = ['patient-request', 'misfiled', 'legal-duty', 'consent-withdrawn'] as const

/**
 * From when on a pending erasure can be completed so that no verifier will say `delay-unseen` of it, in ms since 1970.
 * @returns null when no quorum of witnesses saw the request yet
 */
export async function erasableFrom(
  connection: Connection,
  replica: Replica,
  { height, notBefore }: Pick<Pending, 'height' | 'notBefore'>,
): Promise<number | null> {
  const from = timestampMs(notBefore)
  const time = replica.notes[height]?.time ?? notBefore
  const delayMs = from - timestampMs(time)
  const { policy } = connection.ports.pins
  if (!policy?.quorum || delayMs <= DELAY_MARGIN_MS) return from
  const receipt = await blockReceipt(connection, replica, height)
  const seenFrom = delaySeenFrom({ time, receipt }, delayMs)
  return seenFrom === null ? null : Math.max(from, seenFrom)
}

/** Completes or cancels the erasure that the block at `height` requested. @throws AmpereError NOT_FOUND */
export async function settleErasure(
  connection: Connection,
  chain: ChainId,
  height: number,
  act: 'complete' | 'cancel',
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const requested = await verifiedBlock(connection, replica, height)
  if (requested?.block.type !== 'erase') {
    throw new AmpereError('NOT_FOUND', `block ${height} requests no erasure`)
  }
  const { approvals: _, ...rest } = requested.block.body
  const body = { ...rest, act, request: height }
  const context = { ...stepContext(connection, []), approvers: [] }
  return submitStep(connection, await signStep(context, replica, () => ({ type: 'erase', body })))
}

function targetsOf(erasure: Erasure): EraseBlock['body']['targets'] {
  const heights = [...new Set(erasure.entries.map((entry) => entry.height))].toSorted((a, b) => a - b)
  return heights.map((height) => ({
    height,
    ids: erasure.entries
      .filter((entry) => entry.height === height)
      .map((entry) => entry.id)
      .toSorted(),
  }))
}
