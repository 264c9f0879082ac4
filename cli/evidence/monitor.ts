// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import type { EvidenceSink } from '#core/client/client.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { evidenceOfFinding } from '#core/evidence/of-finding.ts'
import { listFindings } from '#core/server/monitor/against/findings.ts'
import { readWatched } from '../monitor/watched.ts'
import { keepIfRoom } from './files.ts'

/**
 * Keeps as files what the home of a data folder, as a monitor, found that convicts a log by itself; its leads convict
 * nobody. Reads beside a running server.
 * @returns verifier keys of the monitored logs, as its operator entered them
 */
export async function keepMonitored(folder: string, keep: EvidenceSink): Promise<readonly string[]> {
  const home = join(folder, 'home')
  const watched = existsSync(join(home, 'ampere.db')) ? readWatched(folder) : []
  if (watched.length === 0) return []
  const platform = openLocal({ folder: home, passphrase: null, beside: true, readOnly: true })
  try {
    const keys: string[] = []
    for (const { origin, policy } of watched) {
      const log = policy.logs.map(({ key }) => formatVerifierKey(key))
      keys.push(...log)
      for (const finding of await listFindings(platform.table('monitored'), origin)) {
        const evidence = evidenceOfFinding(finding, log)
        if (evidence) await keepIfRoom(keep, evidence)
      }
    }
    return keys
  } finally {
    await platform.close()
  }
}
