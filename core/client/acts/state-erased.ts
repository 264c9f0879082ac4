// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { bridgeStore, signErased } from '../../api/erased.ts'
import type { CompletedErasure } from '../client.ts'
import type { Connection } from '../connect.ts'
import { erasureProgress, verifiedStatements, type ErasureProgress } from '../read/erasures.ts'
import { institutionOf } from './submit.ts'

/**
 * Says for this institution's bridge that its copy of what `erasure` names is gone, and hands that to the home.
 * `backupDays` is how long its own backups may still hold it. Repeating it changes nothing.
 */
export async function stateErased(
  connection: Connection,
  chain: ChainId,
  erasure: Pick<CompletedErasure, 'id'>,
  backupDays: number,
): Promise<void> {
  const { now, identity } = connection.ports
  const statement = await signErased(
    {
      v: 1,
      chain,
      block: erasure.id,
      store: bridgeStore(institutionOf(connection)),
      at: toTimestamp(now()),
      backupsExpire: toTimestamp(now() + backupDays * 86_400_000),
    },
    identity.signer,
  )
  await connection.api.stateErased(chain, statement)
}

/** How far each completed erasure of a chain is, by the statements that verify. */
export async function readErasures(
  connection: Connection,
  chain: ChainId,
): Promise<readonly ErasureProgress[]> {
  const replica = await connection.replica(chain)
  if (replica.erasures.length === 0) return []
  const { registry, verifiers } = connection.sync
  const { origin } = connection.ports.pins
  const context = { chain, origin, records: registry.newest(), readers: replica.readers, verifiers }
  const statements = await verifiedStatements(context, await connection.api.erased(chain))
  return erasureProgress(context, replica.erasures, statements, connection.ports.now())
}
