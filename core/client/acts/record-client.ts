// SPDX-License-Identifier: Apache-2.0
import type { Home } from '../../block/block.ts'
import type { RecordClient } from '../client.ts'
import type { Connection } from '../connect.ts'
import { createRecord } from './create-record.ts'
import { stateErased } from './state-erased.ts'
import { openPairing, requestPairing } from './pair-record.ts'
import { shareRecord } from './share-record.ts'

/** The client that a bridge uses. `backupDays` is how long backups of the bridge's own table are kept. */
export function recordClient(connection: Connection, home: Home, backupDays = 0): RecordClient {
  return {
    append: (chain, entries, after) => connection.append(chain, entries, after),
    read: (chain) => connection.read(chain),
    accessChainOf: async (chain) => (await connection.replica(chain)).link.state.access,
    stateErased: (chain, erasure) => stateErased(connection, chain, erasure, backupDays),
    requestPairing: (code) => requestPairing(connection, code),
    openPairing: (compact) => openPairing(connection, compact),
    share: async (chain, institution) => {
      await shareRecord(connection, chain, { institution, rights: ['append', 'read'] })
    },
    create: (compartments) => createRecord(connection, home, compartments),
  }
}
