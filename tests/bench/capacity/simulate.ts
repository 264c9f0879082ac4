// SPDX-License-Identifier: Apache-2.0
import { MAX_RUN_LEAVES } from '#core/server/sequence/sequencer.ts'
import { SEQUENCE_MS } from '#functions/sequencer/sequencing.ts'
import type { Profile } from './limits.ts'
import type { Measured } from './measured.ts'
import { chargesOf, Resources, SHARDS, type Call } from './resources.ts'
import { SimulatedSequencer, type Parts } from './sequencing.ts'
import { seeded } from './servers.ts'

/** What is simulated: blocks of one entry that come at random, each of a chain of its own, which is the dearest case. */
export interface Load {
  readonly appendsPerSecond: number
  readonly seconds: number
  readonly seed: number
  /** False leaves the sequencer's own work out: what is stored is then logged once each second, in no time. */
  readonly hasSequencer?: boolean
}

/** What came of it. Times are in milliseconds. */
export interface Outcome {
  readonly appended: number
  readonly logged: number
  /** Appended and not logged when the time was over, those included that are still being stored. */
  readonly waiting: number
  readonly storeMs: Quantiles
  /** From when a block was stored until the tree with it was published, of those that were logged. */
  readonly receiptMs: Quantiles
  readonly runs: number
  readonly parts: Parts
  readonly longestLookMs: number
  /** Marks that should have been removed by then and were not. */
  readonly leftMarks: number
  /** Part of each limit that was asked for; above 1, more than there is. Largest first. */
  readonly used: readonly (readonly [string, number])[]
}

/** Of no values both are 0. */
export interface Quantiles {
  readonly p50: number
  readonly p99: number
}

/** Name of the sequencer among what is used: its time is what limits it. */
export const SEQUENCER = 'time of the one sequencer'

/** Simulates the writers, the tables, the object stores and the sequencer of one home. The same seed gives the same outcome. */
export function simulate(measured: Measured, profile: Profile, load: Load): Outcome {
  const { appendsPerSecond, seconds, hasSequencer = true } = load
  const endMs = seconds * 1000
  const resources = new Resources(profile)
  const writers = new Writers(measured, profile, load, resources)
  const sequencer = new SimulatedSequencer(measured, profile, appendsPerSecond, resources, endMs)
  const receipts: number[] = []
  let [next, nowMs, busyMs, runs] = [0, 0, 0, 0]
  while (nowMs < endMs) {
    writers.until(nowMs)
    let ready = next
    const most = hasSequencer ? next + MAX_RUN_LEAVES : Infinity
    while (ready < most && (writers.storedMs[ready] ?? Infinity) <= nowMs) ready++
    const run = hasSequencer ? sequencer.run(nowMs, ready - next) : { publishedMs: nowMs, endedMs: nowMs }
    runs += 1
    const isFull = ready === most
    if (run.publishedMs <= endMs)
      for (; next < ready; next++) receipts.push(run.publishedMs - (writers.storedMs[next] ?? 0))
    busyMs += Math.min(endMs, run.endedMs) - nowMs
    const dueMs = (Math.floor(nowMs / SEQUENCE_MS) + 1) * SEQUENCE_MS
    nowMs = isFull ? run.endedMs : Math.max(run.endedMs, dueMs)
  }
  writers.until(endMs)
  const appended = writers.storedMs.length
  // More than a run takes is stored, and it has been working all the time.
  const stored = writers.storedMs.filter((ms) => ms <= endMs).length
  const isBehind = stored - receipts.length > MAX_RUN_LEAVES && busyMs > 0.9 * endMs
  const perBlock = busyMs / Math.max(1, receipts.length)
  const own = isBehind ? Math.max(1, (perBlock * appended) / endMs) : busyMs / endMs
  const used = [...resources.used(endMs), [SEQUENCER, own] as const]
  return {
    appended,
    logged: receipts.length,
    waiting: appended - receipts.length,
    storeMs: quantiles(writers.tookMs),
    receiptMs: quantiles(receipts),
    runs,
    parts: sequencer.parts,
    longestLookMs: sequencer.longestLookMs,
    leftMarks: Math.round(sequencer.leftMarks),
    used: used.toSorted(([, a], [, b]) => b - a),
  }
}

/** Appends that come at random (a Poisson process), each with its measured calls one after the other. */
class Writers {
  /** When each append was stored, and how long that took, in order of arrival. */
  readonly storedMs: number[] = []
  readonly tookMs: number[] = []
  readonly #random: () => number
  readonly #calls: readonly { readonly call: Call; readonly calls: number; readonly latencyMs: number }[]
  readonly #resources: Resources
  readonly #perMs: number
  #arrivalMs: number

  constructor(measured: Measured, profile: Profile, { appendsPerSecond, seed }: Load, resources: Resources) {
    this.#random = seeded(seed)
    this.#calls = chargesOf(measured.append, profile).map((charge) => ({
      ...charge,
      call: resources.prepare(charge),
    }))
    this.#resources = resources
    this.#perMs = appendsPerSecond / 1000
    this.#arrivalMs = this.#pause()
  }

  /** Takes in all that come until a time. */
  until(endMs: number): void {
    for (; this.#arrivalMs <= endMs; this.#arrivalMs += this.#pause()) {
      const arrival = this.#arrivalMs
      const ends = this.#resources.slots.take(
        this.#resources.request(arrival),
        (from) => this.#store(from) - from,
      )
      this.storedMs.push(ends)
      this.tookMs.push(ends - arrival)
    }
  }

  #store(from: number): number {
    const shard = Math.floor(this.#random() * SHARDS)
    let now = from
    for (const { call, calls, latencyMs } of this.#calls)
      now = call(now, calls, shard) + Math.max(0, calls - 1) * latencyMs
    return now
  }

  #pause(): number {
    return this.#perMs === 0 ? Infinity : -Math.log(1 - this.#random()) / this.#perMs
  }
}

function quantiles(values: readonly number[]): Quantiles {
  if (values.length === 0) return { p50: 0, p99: 0 }
  const sorted = Float64Array.from(values).toSorted()
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}
