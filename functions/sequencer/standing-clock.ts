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

/** What is known of the clock before it is asked for the first time. */
export interface ClockBefore {
  /** A look at both clocks when the process began. */
  readonly began?: Reading | undefined
  /** The newest time that is known to have been, in milliseconds: this home signed it, or enough witnesses did. */
  readonly knownMs?: number | undefined
}

/**
 * A clock that does not answer while it has just leapt. What a log signs with a time from the future it cannot take back:
 * the trees after it have no earlier one, and it would convict an honest home of broken promises. So one wrong reading, or a
 * step that is taken back within `STAND_MS`, must never be signed. A leap that stands is believed, because a computer that
 * slept leaps too: it may be right, and a log that waits for ever breaks its promises.
 *
 * Many small steps are a leap as well: a reading is compared with where the clock stood for `STAND_MS`. The first reading is
 * compared with `before`; whether a clock that was wrong since its process began is ahead, nobody can know.
 * @param elapsed milliseconds since any moment, by a clock that nobody sets
 * @returns a clock that throws AmpereError CLOCK_SKEW while it is more than `CLOCK_TOLERANCE_MS` from where it stood
 */
export function standingClock(now: Now, elapsed: () => number, before: ClockBefore = {}): Now {
  const { began, knownMs = 0 } = before
  let stood: number | null = began ? offsetOf(began) : null
  let isFirst = true
  /** What is signed here, and not where the clock stood, is what its readings are compared with. */
  let isByKnown = false
  let since: Stretch | null = null
  let leapt: { readonly offsetMs: number; readonly sinceMs: number } | null = null
  return () => {
    const read = { wallMs: now(), elapsedMs: elapsed() }
    const offsetMs = offsetOf(read)
    if (isFirst) {
      const [standing, known] = [stood ?? offsetMs, knownMs - read.elapsedMs]
      isByKnown = known > standing
      stood = Math.max(standing, known)
    }
    isFirst = false
    if (since && read.elapsedMs - since.sinceMs >= STAND_MS) {
      stood = nearest(stood ?? offsetMs, since)
      since = null
    }
    if (isNear(offsetMs, stood ?? offsetMs)) {
      leapt = null
      isByKnown = false
      since = stretched(since, offsetMs, read.elapsedMs)
      return read.wallMs
    }
    if (!leapt || !isNear(offsetMs, leapt.offsetMs)) leapt = { offsetMs, sinceMs: read.elapsedMs }
    if (read.elapsedMs - leapt.sinceMs < STAND_MS) {
      const seconds = Math.round((offsetMs - (stood ?? offsetMs)) / 1000)
      const why = isByKnown ? `is ${-seconds} s before what was signed here` : `leapt by ${seconds} s`
      throw new AmpereError('CLOCK_SKEW', `the clock ${why}`)
    }
    stood = offsetMs
    isByKnown = false
    since = null
    leapt = null
    return read.wallMs
  }
}

/** How far the clock was from the one that nobody sets, at the least and at the most, since a moment. */
interface Stretch {
  readonly sinceMs: number
  readonly lowMs: number
  readonly highMs: number
}

function stretched(known: Stretch | null, offsetMs: number, elapsedMs: number): Stretch {
  if (!known) return { sinceMs: elapsedMs, lowMs: offsetMs, highMs: offsetMs }
  const { sinceMs, lowMs, highMs } = known
  return { sinceMs, lowMs: Math.min(lowMs, offsetMs), highMs: Math.max(highMs, offsetMs) }
}

/** Where the clock stands after a stretch: one reading among others moves it nowhere. */
function nearest(stood: number, { lowMs, highMs }: Stretch): number {
  return Math.min(Math.max(stood, lowMs), highMs)
}

function offsetOf({ wallMs, elapsedMs }: Reading): number {
  return wallMs - elapsedMs
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= CLOCK_TOLERANCE_MS
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
      throw new AmpereError('KEY_UNAVAILABLE', `${cause.message}: nothing is signed for 30 s`, { cause })
    }
  }
}

/** Between two readings of a clock that is waited for, in milliseconds. */
const READ_AGAIN_MS = 1000

/**
 * Waits until a clock answers, for a process that would end before: else one that runs for a few seconds never gets an answer
 * while the newest signed time is in the future. @param told is told once why it waits
 */
export async function untilStands(
  clock: Now,
  pause: (ms: number) => Promise<void>,
  told: (why: string) => void,
): Promise<void> {
  for (let waitedMs = 0; waitedMs <= STAND_MS; waitedMs += READ_AGAIN_MS) {
    try {
      clock()
      return
    } catch (error) {
      if (!isAmpereError(error, 'CLOCK_SKEW')) throw error
      if (waitedMs === 0) told(error.message)
      await pause(READ_AGAIN_MS)
    }
  }
}
