// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { coalesce } from '#core/order/coalesce.ts'
import type { Monitor, MonitorPorts, WatchedLog } from '#core/server/monitor/needs.ts'
import { watchLog } from '#core/server/monitor/watch.ts'
import type { Log } from '../host/telemetry.ts'

/** How often every monitored log is looked at, in milliseconds, where the process stays. */
export const MONITOR_MS = 5_000

/**
 * Looks at every log once, all together, so that one that hangs delays no other. Never rejects: what fails is said by
 * its code and tried the next time, and what speaks against a log is an event of its own.
 * @param watched asked each time, so that a log can be added while the process runs
 */
export function createWatching(
  ports: MonitorPorts,
  monitor: Monitor,
  watched: () => readonly WatchedLog[],
  log: Log,
): () => Promise<void> {
  const failed = (error: unknown) =>
    log({ event: 'monitor-failed', role: 'monitor', code: isAmpereError(error) ? error.code : 'UNEXPECTED' })
  const look = async (each: WatchedLog): Promise<void> => {
    try {
      const { added, finding } = await watchLog(ports, monitor, each)
      if (added > 0) log({ event: 'monitored', role: 'monitor', count: added })
      if (finding) log({ event: `monitor-finding-${finding}`, role: 'monitor', code: 'VERIFICATION_FAILED' })
    } catch (error) {
      failed(error)
    }
  }
  return coalesce(async () => {
    try {
      await Promise.all(watched().map(look))
    } catch (error) {
      failed(error)
    }
  })
}
