// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { tryErasures, type EraserPorts } from '#core/server/erase.ts'
import type { Home } from '#core/server/home.ts'
import type { SweeperPorts } from '#core/server/sweep/needs.ts'
import { sweep } from '#core/server/sweep/sweep.ts'
import { sweepJobs } from '#core/server/job/sweep-jobs.ts'
import { sweepUploads } from '#core/server/upload/sweep-uploads.ts'
import { silentTelemetry, type Log, type Telemetry } from '../host/telemetry.ts'

/** How often a home's chores are due, in milliseconds: an hour. */
export const CHORES_MS = 3_600_000

/**
 * What a home does on schedule: erasures that a crash left half done, then parts that no block names, then uploads that were not
 * appended, then jobs that are over. Never
 * rejects: a chore that fails is said in the log by its code, and done the next time.
 */
export async function doChores(
  ports: { readonly eraser: EraserPorts; readonly sweeper: SweeperPorts },
  home: Home,
  log: Log,
  telemetry: Telemetry = silentTelemetry,
): Promise<void> {
  await attempt('erasures', log, async () => {
    const { done, failures } = await tryErasures(ports.eraser, home)
    telemetry.amount('erasures.waiting', failures.length)
    if (failures.length > 0) throw failures[0]
    return done
  })
  await doSweep(ports.sweeper, log)
}

/** Removes parts that no block names, uploads that were not appended, and jobs that are over. Never rejects, as `doChores`. */
export async function doSweep(ports: SweeperPorts, log: Log): Promise<void> {
  await attempt('swept', log, async () => {
    const { removed } = await sweep(ports)
    return Object.values(removed).reduce((sum, count) => sum + count, 0)
  })
  await attempt('uploads-swept', log, () => sweepUploads(ports))
  await attempt('jobs-swept', log, () => sweepJobs(ports))
}

async function attempt(event: string, log: Log, chore: () => Promise<number>): Promise<void> {
  try {
    log({ event, role: 'sweeper', count: await chore() })
  } catch (error) {
    log({ event: `${event}-failed`, role: 'sweeper', code: isAmpereError(error) ? error.code : 'UNEXPECTED' })
  }
}
