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
  /** Name of the last patient's row that was checked, where time was up before the end; else null. */
  readonly next: string | null
}

/** Which part of the records a run checks. */
export interface CheckPart {
  /** Name of the row of the last patient that was checked before. */
  readonly after?: string | undefined
  /** Asked before each record, after the first. */
  readonly isTimeUp?: () => boolean
}

/**
 * Checks every record that the institution knows, files what is new and withdraws what was settled.
 * A record that cannot be read is counted and logged by its error code only; the others are checked all the same.
 */
export async function checkAll(
  bridge: Bridge,
  log: Log,
  { after, isTimeUp = () => false }: CheckPart = {},
): Promise<CheckRun> {
  let [patients, newFindings, failed] = [0, 0, 0]
  let last: string | null = null
  let next: string | null = null
  for (const { id, name } of await bridge.ports.store.patients.list(after)) {
    if (id === DIRECTORY) continue
    if (last !== null && isTimeUp()) {
      next = last
      break
    }
    last = name
    patients++
    try {
      newFindings += await bridge.recheck(id)
    } catch (error) {
      failed++
      log({ event: 'check-failed', role: 'checker', code: isAmpereError(error) ? error.code : 'UNEXPECTED' })
    }
  }
  log({ event: 'checked', role: 'checker', count: patients })
  return { patients, newFindings, failed, next }
}
