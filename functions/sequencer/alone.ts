// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { select } from '#core/ports/needs.ts'
import { freshMarks } from '#core/server/sequence/marks/fresh-marks.ts'
import { tellStanding } from '#core/server/standing/standing.ts'
import type { Alone } from '../host/cloud/alone.ts'
import { homeOf } from '../host/cloud/alone.ts'
import type { Wake } from '../host/cloud/hosted.ts'
import { newestKnownMs } from './known-time.ts'
import { role } from './role.ts'
import { createSequencing } from './sequencing.ts'
import { standingClock } from './standing-clock.ts'

/**
 * The sequencer in a process of its own: each call logs all that there is to log, has it cosigned, and tells the other roles
 * how the home stands. To be called whenever something was marked, and on schedule; several at a time do no harm. Woken by marks it
 * looks where they are, which is 1 of 64 ranges for each; its schedule looks at all.
 *
 * A process that is frozen between two calls has no clock that nobody sets, so leaps are not seen here; a clock that is
 * behind what this home signed is, because that is in the stores.
 * @returns what rejects with AmpereError STORE_UNAVAILABLE when something could not be logged: whoever called may call again
 */
export async function openSequencing({ platform, config, hosting }: Alone): Promise<Wake> {
  const ports = await select(platform, role.needs)
  const home = homeOf(config, ports.tables)
  const knownMs = await newestKnownMs(ports, home, config.policy)
  const now = standingClock(ports.now, ports.now, { knownMs })
  const log = createSequencing({ ...ports, now }, home, config.policy, hosting)
  return async (by) => {
    await log.sequence(by === 'schedule' ? null : freshMarks(by))
    await log.cosign()
    const logging = log.isLogging()
    const behind = await isBehind(log.isBehind)
    if (behind !== null) await tellStanding(ports, { behind, logging })
    if (!logging || behind === null)
      throw new AmpereError('STORE_UNAVAILABLE', 'not all that there is to log was logged')
  }
}

/** Null where the own stores did not let it be judged: what was told before then grows old. */
async function isBehind(ask: () => Promise<boolean>): Promise<boolean | null> {
  try {
    return await ask()
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}
