// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { isAmpereError, ruleIn } from '#core/errors.ts'
import type { Now } from '#core/ports/keys.ts'
import { copyOf, type MirrorPorts } from '#core/server/mirror/copy-of.ts'
import { noteFailedRuns, readFailedRuns } from '#core/server/mirror/last-run.ts'
import { mirrorChains, type RunBounds } from '#core/server/mirror/mirror.ts'
import type { MirroredHome } from '#core/server/mirror/mirrored-home.ts'
import { standingClock, type Reading } from '../sequencer/standing-clock.ts'
import type { Log } from '../host/telemetry.ts'

/** How often other homes are mirrored, in milliseconds: what a home acknowledges can be lost for that long. */
export const MIRROR_MS = 60_000

/** Mirroring on schedule: one run of each home at a time, and a way to wait for those that are under way. */
export interface Mirroring {
  /** Resolves when the runs of all homes ended. */
  readonly run: () => Promise<void>
  readonly ended: () => Promise<void>
}

/** A home that is mirrored, with what that uses. */
export interface Mirrored {
  readonly ports: MirrorPorts
  readonly home: MirroredHome
}

/** Both clocks of a process that mirrors. */
export interface MirroringClocks {
  readonly now: Now
  /** Milliseconds since any moment, by a clock that nobody sets. */
  readonly elapsed: () => number
  /** A look at both when the process began. */
  readonly began?: Reading
}

/**
 * The same homes, by one clock that does not answer while it has just leapt: a run then fails, and the next one goes on. What a
 * mirror states with a time from the future would convict it with what it states next.
 */
export function byStandingClock(
  homes: readonly Mirrored[],
  { now, elapsed, began }: MirroringClocks,
): readonly Mirrored[] {
  const standing = standingClock(now, elapsed, { began })
  return homes.map(({ ports, home }) => ({ ports: { ...ports, now: standing }, home }))
}

/**
 * Whoever calls while a home's run is under way gets that run; homes do not wait for each other, so that one that answers slowly
 * or without end costs no other its copy.
 */
export function createMirroring(
  homes: readonly Mirrored[],
  log: Log,
  bounds: Partial<RunBounds> = {},
): Mirroring {
  const running = new Map<Mirrored, Promise<void>>()
  const standing: Standing = { 'mirror-failed': new Set(), 'mirror-problems': new Set() }
  const runOf = (mirrored: Mirrored): Promise<void> => {
    const known = running.get(mirrored)
    if (known) return known
    const run = mirrorHome(mirrored, standing, log, bounds).finally(() => running.delete(mirrored))
    running.set(mirrored, run)
    return run
  }
  return {
    run: async () => void (await Promise.all(homes.map(runOf))),
    ended: async () => void (await Promise.all(running.values())),
  }
}

/** Of which homes something is wrong, by event: it ended when there is none. */
type Standing = Readonly<Record<'mirror-failed' | 'mirror-problems', Set<Mirrored>>>

/** Mirrors one home. Never rejects: what fails is said in the log by its code and rule, kept beside the copy, and tried the next time. */
async function mirrorHome(
  mirrored: Mirrored,
  standing: Standing,
  log: Log,
  bounds: Partial<RunBounds>,
): Promise<void> {
  const { ports, home } = mirrored
  const ended = (event: keyof Standing) => {
    if (standing[event].delete(mirrored) && standing[event].size === 0)
      log({ event: `${event}-ended`, role: 'mirror' })
  }
  let startMs: number | null = null
  try {
    startMs = ports.now()
    const { added, erased, stated, more, problems } = await mirrorChains(ports, home, undefined, bounds)
    if (added > 0) log({ event: 'mirrored', role: 'mirror', count: added })
    if (erased > 0) log({ event: 'mirror-erased', role: 'mirror', count: erased })
    if (stated > 0) log({ event: 'mirror-stated', role: 'mirror', count: stated })
    for (const code of new Set(problems.map((each) => each.code))) {
      const count = problems.filter((each) => each.code === code).length
      log({ event: 'mirror-problems', role: 'mirror', code, count })
    }
    if (problems.length > 0) standing['mirror-problems'].add(mirrored)
    // A run that stopped at a bound did not look at all chains.
    else if (!more) ended('mirror-problems')
    await noteFailedRuns(copyOf(ports, home.deployment), null)
    ended('mirror-failed')
  } catch (error) {
    const failure = failureOf(error)
    log({ event: 'mirror-failed', role: 'mirror', ...failure })
    standing['mirror-failed'].add(mirrored)
    // A clock that has just leapt tells no time, and that ends.
    if (startMs !== null) await noteFailure(mirrored, startMs, failure)
  }
}

/** Why a run failed. The rule is missing where it was none of what the home showed. */
interface Failure {
  readonly code: string
  readonly rule?: string
}

function failureOf(error: unknown): Failure {
  if (!isAmpereError(error)) return { code: 'UNEXPECTED' }
  const { code } = error
  const rule = ruleIn(error)
  return rule === null ? { code } : { code, rule }
}

/** Keeps it for whoever asks how the mirror is, also when no server runs. */
async function noteFailure(
  { ports, home }: Mirrored,
  startMs: number,
  { code, rule = null }: { readonly code: string; readonly rule?: string | null },
): Promise<void> {
  const copy = copyOf(ports, home.deployment)
  const time = toTimestamp(startMs)
  try {
    const before = await readFailedRuns(copy)
    await noteFailedRuns(copy, { v: 1, since: before?.since ?? time, time, code, rule })
  } catch (error) {
    // The store is what failed, and the log has said so.
    if (!isAmpereError(error)) throw error
  }
}
