// SPDX-License-Identifier: Apache-2.0
import type { AssembledBridge } from '../bridge/opening/assemble.ts'
import { openHostedBridge, type BridgeHosted } from '../bridge/alone.ts'
import type { Hosting } from '../host/app.ts'
import type { Wake } from '../host/cloud/hosted.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import { checkAll } from './check-all.ts'
import { rotateDue } from './rotate-due.ts'
import { role } from './role.ts'

/** How often every record is checked again, in milliseconds, for what was filed elsewhere meanwhile. */
export const CHECK_MS = 3_600_000
/** After how long a run leaves the rest to the next one, in milliseconds, and after how long it is taken for dead: a function ends at 15 minutes. */
const PART_MS = 600_000
const DEAD_MS = 900_000
/** How long a run gives records new keys before it checks: the next minute's run goes on. */
const ROTATE_MS = 45_000

/** The checker in a process of its own, woken each minute. */
export async function openChecking(hosted: BridgeHosted): Promise<Wake> {
  return checking(await openHostedBridge(hosted, role.needs), hosted.hosting)
}

/**
 * Enters the readings that wait in the access chains, each time, and has every record checked once an hour: in parts, of which one
 * process does one at a time, so that a long round neither holds up readings nor has to end within one call. With it goes what is
 * past of used assertions and revoked tokens. Before that records get the new keys that are due.
 * @returns what rejects with the first error, after all were tried
 */
export function checking({ bridge, store, rotation }: AssembledBridge, hosting: Hosting): Wake {
  const { log, now, telemetry = silentTelemetry } = hosting
  return async () => {
    const [entered] = await Promise.allSettled([
      telemetry.act('enter-readings', async () => {
        log({ event: 'readings', role: role.name, count: await store.access.flush() })
      }),
    ])
    const [rotated] = await Promise.allSettled([
      telemetry.act('rotate', () => rotateDue(rotation, log, now() + ROTATE_MS)),
    ])
    const part = await store.rounds.begin(CHECK_MS, DEAD_MS)
    if (part)
      await telemetry.act('check', async () => {
        const untilMs = now() + PART_MS
        const { after } = part
        const { next } = await checkAll(bridge, log, { after, isTimeUp: () => now() >= untilMs })
        await part.end(next)
      })
    // No more often than that: looking costs as much as there are tokens.
    const [swept] = await Promise.allSettled([part ? store.sweepMarks() : 0])
    for (const outcome of [entered, rotated, swept]) if (outcome.status === 'rejected') throw outcome.reason
  }
}
