// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { coalesce } from '#core/order/coalesce.ts'
import type { FindingKind } from '#core/api/lookup.ts'
import type { Monitor, MonitorPorts, WatchedLog } from '#core/server/monitor/needs.ts'
import { watchLog } from '#core/server/monitor/watch.ts'
import type { Log } from '../host/telemetry.ts'

/** How often every monitored log is looked at, in milliseconds, where the process stays. */
export const MONITOR_MS = 5_000

/**
 * Looks at every log once, all together, so that one that hangs delays no other. Never rejects: what fails is said by
 * its code and tried the next time. What speaks against a log is an event of its own, said once until it changes or ends: a
 * log that was stopped at is looked at every few seconds.
 * @param watched asked each time, so that a log can be added while the process runs
 */
export function createWatching(
  ports: MonitorPorts,
  monitor: Monitor,
  watched: () => readonly WatchedLog[],
  log: Log,
): () => Promise<void> {
  const sayFinding = createFindings(log)
  const failed = (error: unknown) =>
    log({ event: 'monitor-failed', role: 'monitor', code: isAmpereError(error) ? error.code : 'UNEXPECTED' })
  const look = async (each: WatchedLog): Promise<void> => {
    try {
      const { outcome, added, finding } = await watchLog(ports, monitor, each)
      if (added > 0) log({ event: 'monitored', role: 'monitor', count: added })
      // Who lost a race has judged nothing.
      if (outcome !== 'raced') sayFinding(each.origin, finding)
    } catch (error) {
      failed(error)
    }
  }
  return coalesce(async () => {
    try {
      const logs = watched()
      await Promise.all(logs.map(look))
      sayFinding.only(logs)
    } catch (error) {
      failed(error)
    }
  })
}

/** Says a finding once, and once that no log has one of its kind any more. */
function createFindings(log: Log) {
  const standing = new Map<string, FindingKind>()
  const say = (origin: string, finding: FindingKind | null): void => {
    const before = standing.get(origin) ?? null
    if (finding === before) return
    if (finding === null) standing.delete(origin)
    else {
      standing.set(origin, finding)
      log({ event: `monitor-finding-${finding}`, role: 'monitor', code: 'VERIFICATION_FAILED' })
    }
    if (before !== null && ![...standing.values()].includes(before))
      log({ event: `monitor-finding-${before}-ended`, role: 'monitor' })
  }
  return Object.assign(say, {
    /** Forgets logs that are monitored no more. */
    only: (logs: readonly WatchedLog[]): void => {
      const origins = new Set(logs.map(({ origin }) => origin))
      for (const origin of standing.keys()) if (!origins.has(origin)) say(origin, null)
    },
  })
}
