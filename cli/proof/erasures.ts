// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { ChainId } from '#core/bytes/ids.ts'
import { parseJws, verifyJws } from '#core/block/jws.ts'
import type { Connection } from '#core/client/connect.ts'
import { isAmpereError } from '#core/errors.ts'
import { headKeyAt } from '#core/registry/snapshot.ts'

const statement = v.object({
  chain: v.string(),
  block: v.string(),
  store: v.string(),
  backupsExpire: v.string(),
})

/**
 * Ids of the erase blocks of a chain that the home has signed to be carried out, with its last backup expired:
 * a statement, not a proof. One that does not verify counts as not there.
 */
export async function confirmedErasures(
  connection: Connection,
  chain: ChainId,
): Promise<ReadonlySet<string>> {
  const { origin } = connection.ports.pins
  const { items } = await connection.api.erased(chain)
  const confirmed = new Set<string>()
  for (const compact of items) {
    try {
      const jws = parseJws(compact, 'ampere-erased+jws')
      const key = headKeyAt(connection.sync.registry.newest(), jws.kid, origin)
      const said = v.parse(statement, jws.payload)
      if (!key || said.chain !== chain || said.store !== origin) continue
      await verifyJws(jws, key, connection.sync.verifiers)
      if (Date.parse(said.backupsExpire) <= connection.ports.now()) confirmed.add(said.block)
    } catch (error) {
      if (!isAmpereError(error) && !(error instanceof v.ValiError)) throw error
    }
  }
  return confirmed
}
