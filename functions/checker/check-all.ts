// SPDX-License-Identifier: Apache-2.0
import type { Bridge } from '#core/bridge/bridge.ts'
import { DIRECTORY } from '#core/bridge/file/group-patients.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Log } from '../host/telemetry.ts'

/** What one scheduled run did. */
export interface CheckRun {
  readonly patients: number
  readonly newFindings: number
  /** Records that could not be checked now; the next run tries them again. */
  readonly failed: number
}

/**
 * Checks every record that the institution knows, files what is new and withdraws what was settled.
 * A record that cannot be read is counted and logged by its error code only; the others are checked all the same.
 */
export async function checkAll(bridge: Bridge, log: Log): Promise<CheckRun> {
  let [patients, newFindings, failed] = [0, 0, 0]
  for (const { id } of await bridge.ports.store.patients.list()) {
    if (id === DIRECTORY) continue
    patients++
    try {
      newFindings += await bridge.recheck(id)
    } catch (error) {
      failed++
      log({ event: 'check-failed', role: 'checker', code: isAmpereError(error) ? error.code : 'UNEXPECTED' })
    }
  }
  log({ event: 'checked', role: 'checker', count: patients })
  return { patients, newFindings, failed }
}
