// SPDX-License-Identifier: Apache-2.0
import { CLOCK_TOLERANCE_MS } from '#core/api/limits.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Now } from '#core/ports/keys.ts'

/** How long a clock must have stood where it leapt to before it is believed, in milliseconds: less than a promise lasts. */
export const STAND_MS = 30_000

/** One look at both clocks. */
export interface Reading {
  readonly wallMs: number
  readonly elapsedMs: number
}

/**
 * A clock that does not answer while it has just leapt. What a log signs with a time from the future it cannot take back:
 * the trees after it have no earlier one, and it would convict an honest home of broken promises. So one wrong reading, or a
 * step that is taken back within `STAND_MS`, must never be signed. A leap that stands is believed, because a computer that
 * slept leaps too: it may be right, and a log that waits for ever breaks its promises.
 * @param elapsed milliseconds since any moment, by a clock that nobody sets
 * @returns a clock that throws AmpereError CLOCK_SKEW for more than `CLOCK_TOLERANCE_MS` between two readings
 */
export function standingClock(now: Now, elapsed: () => number): Now {
  let trusted: Reading | null = null
  let leapt: (Reading & { readonly sinceMs: number }) | null = null
  return () => {
    const read = { wallMs: now(), elapsedMs: elapsed() }
    if (!trusted || isAlong(trusted, read)) {
      leapt = null
      trusted = read
      return read.wallMs
    }
    const sinceMs: number = leapt && isAlong(leapt, read) ? leapt.sinceMs : read.elapsedMs
    leapt = { ...read, sinceMs }
    if (read.elapsedMs - sinceMs < STAND_MS) {
      const leapMs = read.wallMs - trusted.wallMs - (read.elapsedMs - trusted.elapsedMs)
      throw new AmpereError('CLOCK_SKEW', `the clock leapt by ${Math.round(leapMs / 1000)} s`)
    }
    trusted = read
    leapt = null
    return read.wallMs
  }
}

/** Whether as much time passed on both clocks since a reading. */
function isAlong(before: Reading, { wallMs, elapsedMs }: Reading): boolean {
  return Math.abs(wallMs - before.wallMs - (elapsedMs - before.elapsedMs)) <= CLOCK_TOLERANCE_MS
}

/**
 * The same for whoever answers requests with a dated signature, where the code of a refusal is read by clients.
 * @returns a clock that throws AmpereError KEY_UNAVAILABLE, after which one may ask again, for CLOCK_SKEW
 */
export function answering(clock: Now): Now {
  return () => {
    try {
      return clock()
    } catch (cause) {
      if (!isAmpereError(cause, 'CLOCK_SKEW')) throw cause
      throw new AmpereError('KEY_UNAVAILABLE', 'the clock here has just leapt: nothing is signed for 30 s', {
        cause,
      })
    }
  }
}
