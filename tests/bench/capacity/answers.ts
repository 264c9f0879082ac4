// SPDX-License-Identifier: Apache-2.0
import { withLimits, type Limits, type Profile } from './limits.ts'
import type { Measured } from './measured.ts'
import { SEQUENCER, simulate, type Outcome } from './simulate.ts'

/** A receipt is promised within 60 s. */
export const PROMISED_MS = 60_000
/** How long a load is simulated, in seconds: each kind of look for marks comes in it, the rarest five times as often as it does. */
export const SECONDS = 120
export const SEED = 20261129
/** The load that the model is asked about, in appends per second. */
export const ASKED = 10_000
/** Loads of which the outcome is told. */
export const LOADS = [10, 100, 300, 1_000, ASKED] as const

/** Where a limit is reached, in appends per second. */
export interface Reached {
  readonly name: string
  readonly appendsPerSecond: number
}

/** What one home carries on one provider, and what stands in the way of more. */
export interface Answer {
  readonly profile: Profile
  /** Appends per second of which 99 in 100 have their receipt within the promise, for as long as one likes. */
  readonly carries: number
  /** The lowest first. */
  readonly limits: readonly Reached[]
  readonly outcomes: readonly { readonly appendsPerSecond: number; readonly outcome: Outcome }[]
  /** What the sequencer alone logs, with parts of the CPU time that was measured: that is of this machine, and of how busy it was. */
  readonly sequencerBy: readonly { readonly cpuPart: number; readonly appendsPerSecond: number }[]
}

const CPU_PARTS = [0, 0.5, 1, 2] as const

export function answer(measured: Measured, profile: Profile): Answer {
  return {
    profile,
    carries: carries(measured, profile),
    limits: reachedLimits(measured, profile),
    sequencerBy: CPU_PARTS.map((cpuPart) => ({
      cpuPart,
      appendsPerSecond: sequencerRate(withCpu(measured, cpuPart), profile),
    })),
    outcomes: LOADS.map((appendsPerSecond) => ({
      appendsPerSecond,
      // More seconds of a load that is far too much show nothing more.
      outcome: at(measured, profile, appendsPerSecond, appendsPerSecond === ASKED ? 30 : SECONDS),
    })),
  }
}

function withCpu(measured: Measured, part: number): Measured {
  const { cpuMsPerChain, cpuMsPerMark } = measured
  return { ...measured, cpuMsPerChain: cpuMsPerChain * part, cpuMsPerMark: cpuMsPerMark * part }
}

/** Where each limit is reached, if it were the only one: what a limit is asked for grows by the same with each append. */
export function reachedLimits(measured: Measured, profile: Profile): readonly Reached[] {
  const [few, many] = [20, 60]
  const fewUsed = new Map(at(measured, profile, few).used)
  const reached = at(measured, profile, many).used.flatMap(([name, used]) => {
    const per = (used - (fewUsed.get(name) ?? 0)) / (many - few)
    if (name === SEQUENCER || per <= 1e-9) return []
    return [{ name, appendsPerSecond: (1 - used) / per + many }]
  })
  const own = { name: SEQUENCER, appendsPerSecond: sequencerRate(measured, profile) }
  return [...reached, own].toSorted((a, b) => a.appendsPerSecond - b.appendsPerSecond)
}

/** Blocks per second that the sequencer logs where nothing else limits and there is always more. */
export function sequencerRate(measured: Measured, profile: Profile): number {
  const names = Object.keys(profile.limits) as (keyof Limits)[]
  const unlimited = withLimits(profile, Object.fromEntries(names.map((name) => [name, Infinity])))
  const carriesAll = (load: number) => isCarried(at(measured, unlimited, load))
  return bisect(carriesAll, 20_000)
}

function carries(measured: Measured, profile: Profile): number {
  return bisect((load) => isCarried(at(measured, profile, load)), 20_000)
}

function isCarried({ receiptMs, storeMs, used, logged }: Outcome): boolean {
  const most = used[0]?.[1] ?? 0
  return logged > 0 && most < 1 && receiptMs.p99 <= PROMISED_MS && storeMs.p99 <= PROMISED_MS
}

/** The largest load up to `most` that is carried, to within 3 in 100. From below: a load that is far too much takes long to simulate. */
function bisect(isGood: (load: number) => boolean, most: number): number {
  let [good, bad] = [0, 50]
  while (bad < most && isGood(bad)) [good, bad] = [bad, bad * 2]
  while (bad - good > 0.03 * bad) {
    const middle = (good + bad) / 2
    if (isGood(middle)) good = middle
    else bad = middle
  }
  return good
}

function at(measured: Measured, profile: Profile, appendsPerSecond: number, seconds = SECONDS): Outcome {
  return simulate(measured, profile, { appendsPerSecond, seconds, seed: SEED })
}

/** Homes that 10^8 patients need. @param headroom part of what a home carries that is used at the peak */
export function homesFor(
  blocksPerPatientYear: number,
  carried: number,
  { patients = 1e8, peak = 4, headroom = 0.5 } = {},
): { readonly average: number; readonly peak: number; readonly homes: number } {
  const average = (patients * blocksPerPatientYear) / (365.25 * 86_400)
  return {
    average,
    peak: average * peak,
    homes: Math.max(1, Math.ceil((average * peak) / (carried * headroom))),
  }
}
