// SPDX-License-Identifier: Apache-2.0
import type { RecordClient } from '../../client/client.ts'
import type { Now, Random } from '../../ports/keys.ts'
import type { WriteTable } from '../../ports/table.ts'
import { createAccessLog, type AccessLog } from './access.ts'
import { createClients, type Clients } from './clients.ts'
import { createOpenRecords, type OpenRecords } from '../rotation/open-records.ts'
import { createMarks, type Marks } from './marks.ts'
import { createPairingCodes, type PairingCodes } from './pairing.ts'
import { createPatientIndex, type PatientIndex } from './patients.ts'
import { createProgress, type Progress } from './progress.ts'
import { createResourceIndex, type ResourceIndex } from './resources.ts'
import { createRounds, type Rounds } from './rounds.ts'
import { createSealedRows } from './sealed-rows.ts'

/** What a bridge keeps of its own: in one table, named by keyed hashes, sealed, rebuildable but for links, codes and clients. */
export interface BridgeStore {
  readonly patients: PatientIndex
  readonly pairing: PairingCodes
  /** The same for patients' devices. */
  readonly deviceCodes: PairingCodes
  readonly resources: ResourceIndex
  readonly progress: Progress
  readonly access: AccessLog
  readonly rounds: Rounds
  readonly clients: Clients
  /** Records for which new keys are due that could not be given. */
  readonly openRotations: OpenRecords
  /** Assertions of clients, and requests signed by the institution, that were used, until nobody would accept them any more. */
  readonly usedAssertions: Marks
  /** Tokens that were revoked, until they would have expired. */
  readonly revokedTokens: Marks
  /** Removes what is past of both; the host calls it at least each hour. @returns how many rows */
  sweepMarks(): Promise<number>
}

/** `key` is the institution's 32-byte secret for this table. */
export function openBridgeStore(
  table: WriteTable,
  key: Uint8Array,
  client: RecordClient,
  ports: { readonly now: Now; readonly random: Random },
): BridgeStore {
  const rows = createSealedRows(key, ports.random)
  const usedAssertions = createMarks(table, rows, 'used-assertion', ports.now)
  const revokedTokens = createMarks(table, rows, 'revoked-token', ports.now)
  return {
    patients: createPatientIndex(table, rows),
    pairing: createPairingCodes(table, rows, ports),
    deviceCodes: createPairingCodes(table, rows, ports, 'device'),
    resources: createResourceIndex(table, rows),
    progress: createProgress(table, rows),
    access: createAccessLog(client, table, rows, ports),
    rounds: createRounds(table, ports),
    clients: createClients(table, rows, ports),
    openRotations: createOpenRecords(table, rows),
    usedAssertions,
    revokedTokens,
    sweepMarks: async () => (await usedAssertions.sweep()) + (await revokedTokens.sweep()),
  }
}
