// SPDX-License-Identifier: Apache-2.0
import type { EndPorts } from './needs.ts'
import { endOffers, UPLOADS_PARTITION } from './offers.ts'

/**
 * Removes uploads that were not appended in time, of whomever, and finishes what was interrupted.
 * @returns how many were removed
 * @throws AmpereError STORE_UNAVAILABLE; the next sweep goes on
 */
export async function sweepUploads(ports: EndPorts): Promise<number> {
  let removed = 0
  for (let from = ''; ;) {
    const owners = await ports.tables.quotas.range(UPLOADS_PARTITION, { from, limit: 100 })
    for (const { key } of owners)
      removed += await endOffers(ports, key, ({ untilMs }) => untilMs <= ports.now())
    const last = owners.at(-1)
    if (!last) return removed
    from = `${last.key}\u0000`
  }
}
