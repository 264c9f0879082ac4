// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { carryOutErasure, carryOutErasures, isCarriedOut, type EraserPorts } from '#core/server/erase.ts'
import type { Home } from '#core/server/home.ts'
import type { Log } from '../host/telemetry.ts'
import type { Serving } from '../host/serving.ts'

/**
 * Before anything is served: a restored store must erase again. One damaged record must not stop all others: its erasure
 * waits, and is said in the log and by every audit.
 * @throws AmpereError of the first that failed for another reason, after all were tried
 */
export async function eraseFirst(ports: EraserPorts, home: Home, log: Log): Promise<void> {
  try {
    await carryOutErasures(ports, home)
  } catch (error) {
    if (!isAmpereError(error, 'STORE_CORRUPT')) throw error
    log({ event: 'erasure-waits', code: error.code })
  }
}

/** Carries each erasure out at once, where the process may: it is repeated only while it was not stated to have been. */
export function erasingAtOnce(ports: EraserPorts, home: Home): Serving['carryOut'] {
  return async (chain, height) => {
    if (!(await isCarriedOut(ports, chain, height))) await carryOutErasure(ports, home, chain, height)
  }
}
