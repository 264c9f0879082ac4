// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util'
import { readErasures } from '#core/client/acts/state-erased.ts'
import { checkComplete } from '#core/client/complete/completeness.ts'
import type { Connection } from '#core/client/connect.ts'
import { openKeyring } from '#core/client/read/reader-keys.ts'
import { readView } from '#core/client/read/read-view.ts'
import { syncReplica, type Replica } from '#core/client/read/replica.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { shown, type Conclusion } from './conclusion.ts'

/** What an answer is of, as its path says. */
export type Kind =
  | 'registry'
  | 'head'
  | 'blocks'
  | 'packages'
  | 'key row'
  | 'object'
  | 'receipt'
  | 'registry receipt'
  | 'block of the registry'
  | 'lookup'
  | 'erasures'

const PATHS: readonly (readonly [RegExp, Kind])[] = [
  [/\/v1\/registry\/blocks\?from=[05]$/, 'registry'],
  [/\/v1\/registry\/blocks\?from=4$/, 'block of the registry'],
  [/\/v1\/registry\/\d+\/receipt$/, 'registry receipt'],
  [/\/head$/, 'head'],
  [/\/blocks\?from=0$/, 'blocks'],
  [/\/packages$/, 'packages'],
  [/\/rows\//, 'key row'],
  [/\/objects\//, 'object'],
  [/\/v1\/receipts\//, 'receipt'],
  [/\/v1\/lookups\//, 'lookup'],
  [/\/erased$/, 'erasures'],
]

export function kindOf(asked: string): Kind {
  const [, kind] = PATHS.find(([path]) => path.test(asked)) ?? []
  if (!kind) throw new RangeError(`${asked} is of no kind`)
  return kind
}

/** Draws again what answers of one kind bear on, by a connection that has the rest; with the honest rest, a conclusion. */
export async function concludePart(
  kind: Kind,
  connection: Connection,
  replica: Replica,
  honest: Conclusion,
): Promise<Conclusion> {
  const { api, sync, ports } = connection
  const again = async (keyring: Awaited<ReturnType<typeof openKeyring>>) =>
    shown(await readView(api, replica, keyring, null))
  switch (kind) {
    case 'registry':
      throw new RangeError('everything rests on the registry')
    case 'head':
    case 'blocks':
      if (!isDeepStrictEqual(await syncReplica(sync, replica.chain, null), replica))
        throw new RangeError('another chain is believed')
      return honest
    case 'packages': {
      const { items } = await api.packages(replica.chain)
      return { ...honest, ...(await again(await openKeyring(replica, items, ports.identity))) }
    }
    case 'key row':
    case 'object':
      return { ...honest, ...(await again(await connection.keyring(replica))) }
    case 'receipt':
    case 'registry receipt':
    case 'block of the registry':
      return { ...honest, log: await readReceipts(connection, replica) }
    case 'lookup':
      return { ...honest, complete: await checkComplete(connection, replica, honest.log) }
    case 'erasures':
      return { ...honest, progress: await readErasures(connection, replica.chain) }
  }
}
