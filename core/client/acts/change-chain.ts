// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Signer } from '../../ports/keys.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'
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

/** A new epoch for a chain, dropping readers that the registry removed and grants that have ended. */
export async function rotateChain(connection: Connection, chain: ChainId): Promise<ParsedBlock> {
  return rotateReplica(connection, await connection.replica(chain))
}

/** As `rotateChain`, of a replica that was just brought up to date. */
export async function rotateReplica(connection: Connection, replica: Replica): Promise<ParsedBlock> {
  const { signer } = connection.ports.identity
  const context = { ports: connection.ports, registry: connection.sync.registry, author: signer }
  const { append } = await signRotation(context, replica, await connection.keyring(replica))
  return submitAndSync(connection, append)
}
