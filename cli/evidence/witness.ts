// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import type { EvidenceSink } from '#core/client/client.ts'
import { evidenceOfCheckpoints } from '#core/evidence/build.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { listEvidence } from '#core/server/witness/evidence.ts'
import { listLogs } from '#core/server/witness/logs.ts'
import { keepIfRoom } from './files.ts'

/**
 * Keeps as files what the home of a data folder, as a witness, has against the logs that it cosigns: two roots of one
 * size. Its leads, proofs that did not verify, convict nobody. Reads beside a running server.
 * @returns verifier keys of those logs, as its operator entered them
 */
export async function keepWitnessed(folder: string, keep: EvidenceSink): Promise<readonly string[]> {
  const home = join(folder, 'home')
  if (!existsSync(join(home, 'ampere.db'))) return []
  const platform = openLocal({ folder: home, passphrase: null, beside: true, readOnly: true })
  try {
    const tables = { tables: { witness: platform.table('witness') } }
    const logs = await listLogs(tables)
    for (const { origin, keys } of logs) {
      const log = keys.map(formatVerifierKey)
      for (const { kind, cosigned, refused } of await listEvidence(tables, origin))
        if (kind === 'same-size')
          await keepIfRoom(keep, evidenceOfCheckpoints({ origin, log }, [cosigned, refused], { how: 'root' }))
    }
    return logs.flatMap(({ keys }) => keys.map(formatVerifierKey))
  } finally {
    await platform.close()
  }
}
