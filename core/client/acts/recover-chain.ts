// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import type { Controllers, RecoverBlock } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { RECOVER_DELAY_MS } from '../../chain/rules/recover.ts'
import { AmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'
import { heldEpoch } from '../sign/make-epoch.ts'
import { appendOf, newKeys } from '../sign/new-keys.ts'
import { signStep } from '../sign/sign-step.ts'
import { stepContext, submitAndSync, submitStep } from './submit.ts'
import { verifiedBlock } from './verified-block.ts'

/** Who is to control a chain, and who may recover it then. One of them has to complete it, and so to hold the keys of today, as a sheet that stays. */
export interface Recovery {
  readonly controllers: Controllers
  /** Without the devices that are lost; null: nobody. */
  readonly recovery: Controllers | null
}

/**
 * Asks for other controllers in place of those that are lost; 72 hours later it can be completed, until then a controller cancels.
 * @param approvers as many of those who may recover the chain as it demands, each new device, and where somebody saw who asks, an
 * instance that may identify: then a device that is removed cannot cancel
 * @throws AmpereError VIOLATION naming the rule
 */
export async function requestRecovery(
  connection: Connection,
  chain: ChainId,
  { controllers, recovery }: Recovery,
  approvers: readonly Signer[],
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const block = await signStep(stepContext(connection, approvers), replica, (time) => ({
    type: 'recover',
    body: {
      act: 'request',
      request: null,
      controllers,
      recovery,
      epoch: null,
      packages: null,
      notBefore: toTimestamp(timestampMs(time) + RECOVER_DELAY_MS),
    },
  }))
  return submitStep(connection, block)
}

/**
 * Completes the recovery that the block at `height` asked for, with new keys for everybody who reads. This identity must hold the keys of
 * today, as those listed for recovery do, and be one whom the request names. Repeating it changes nothing.
 * @throws AmpereError NOT_FOUND, FORBIDDEN (it does not hold them), VIOLATION naming the rule
 */
export async function completeRecovery(
  connection: Connection,
  chain: ChainId,
  height: number,
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const done = replica.delayed.find(({ request }) => request === height)
  if (done) return blockAt(connection, replica, done.height)
  const asked = await requestAt(connection, replica, height)
  const before = replica.link.state
  const held = heldEpoch(before, await connection.keyring(replica))
  const after = { ...before, controllers: asked.controllers, recovery: asked.recovery }
  const context = { ...stepContext(connection, []), approvers: [] }
  const keys = await newKeys(context, replica, held, after, { isNew: true })
  const { epoch, packages } = keys
  const body = { ...asked, act: 'complete' as const, request: height, epoch, packages }
  const block = await signStep(context, replica, () => ({ type: 'recover', body }))
  return submitAndSync(connection, appendOf(block, keys))
}

/** Cancels the recovery that the block at `height` asked for. @throws AmpereError NOT_FOUND, VIOLATION naming the rule */
export async function cancelRecovery(
  connection: Connection,
  chain: ChainId,
  height: number,
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const asked = await requestAt(connection, replica, height)
  const context = { ...stepContext(connection, []), approvers: [] }
  const body = { ...asked, act: 'cancel' as const, request: height }
  return submitStep(connection, await signStep(context, replica, () => ({ type: 'recover', body })))
}

async function requestAt(
  connection: Connection,
  replica: Replica,
  height: number,
): Promise<Omit<RecoverBlock['body'], 'approvals'>> {
  const { block } = await blockAt(connection, replica, height)
  if (block.type !== 'recover' || block.body.act !== 'request') throw noRequest(height)
  const { approvals: _, ...body } = block.body
  return body
}

/** @throws AmpereError NOT_FOUND */
async function blockAt(connection: Connection, replica: Replica, height: number): Promise<ParsedBlock> {
  const block = await verifiedBlock(connection, replica, height)
  if (block === null) throw noRequest(height)
  return block
}

function noRequest(height: number): AmpereError {
  return new AmpereError('NOT_FOUND', `block ${height} asks for no recovery`)
}
