// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Signer } from '../../ports/keys.ts'
import { recordOf } from '../../registry/snapshot.ts'
import type { Connection } from '../connect.ts'
import { signChange, signRotation, type Change } from '../sign/change-chain.ts'
import { stepContext, submitAndSync } from './submit.ts'

/** Changes grants, controllers, hold or epoch. `approvers` beside this identity, if the threshold needs them. */
export async function changeChain(
  connection: Connection,
  chain: ChainId,
  change: Change,
  approvers: readonly Signer[] = [],
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const source = { keyring: await connection.keyring(replica) }
  const step = stepContext(connection, approvers)
  const { append } = await signChange(step, replica, change, source)
  return submitAndSync(connection, append)
}

/** A new epoch for a chain, dropping readers whose institutions the registry no longer lists. */
export async function rotateChain(connection: Connection, chain: ChainId): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const newest = connection.sync.registry.newest()
  const gone = replica.link.state.grants
    .map((grant) => grant.institution)
    .filter((id) => recordOf(newest, 'institution', id)?.status !== 'active')
  const { append } = await signRotation(
    stepContext(connection, []),
    replica,
    gone,
    await connection.keyring(replica),
  )
  return submitAndSync(connection, append)
}
