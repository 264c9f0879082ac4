// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import type { WriteTable } from '../../ports/table.ts'
import { labelsPartition } from './labels.ts'
import { copiedUnder, loadMonitored, nothingOf, swapMonitored } from './monitored-row.ts'
import { tilesPartition } from './tiles.ts'

/** Rows that are removed at once. */
const AT_ONCE = 1000

/**
 * Begins anew with a log at which the monitor has stopped: nothing of what was copied counts any more. Findings are kept. A
 * monitor that runs meanwhile, or was interrupted, puts what it copies where nobody looks.
 * @returns false where it had not stopped, and goes on from where it is
 * @throws AmpereError STORE_UNAVAILABLE and its kin, STORE_CORRUPT; may be repeated
 */
export async function beginAnew(table: WriteTable, nowMs: number, origin: string): Promise<boolean> {
  const loaded = await loadMonitored(table, origin)
  const { stopped, generation } = loaded.log
  if (stopped !== null) {
    const next = { ...nothingOf(origin), generation: generation + 1, begun: toTimestamp(nowMs) }
    if (!(await swapMonitored(table, loaded, next)))
      throw new AmpereError('STORE_UNAVAILABLE', 'a monitor is looking at this log just now')
  }
  // Also what an interrupted one left.
  const before = stopped === null ? generation : generation + 1
  for (let each = 0; each < before; each++) {
    const under = copiedUnder({ origin, generation: each })
    await removeAll(table, labelsPartition(under))
    await removeAll(table, tilesPartition(under))
  }
  return stopped !== null
}

async function removeAll(table: WriteTable, partition: string): Promise<void> {
  for (;;) {
    const rows = await table.range(partition, { limit: AT_ONCE })
    if (rows.length === 0) return
    await Promise.all(rows.map(({ key, version }) => table.swap(partition, key, version, null)))
  }
}
