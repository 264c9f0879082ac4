// SPDX-License-Identifier: Apache-2.0
import { PARALLEL_ROWS } from '#core/server/sequence/apply.ts'
import { PARALLEL_CHAINS } from '#core/server/sequence/collect.ts'
import { CLEAR_PAGE } from '#core/server/sequence/marks/clear-marks.ts'
import { MARK_PAGE, REACHES } from '#core/server/sequence/marks/read-marks.ts'
import type { Profile } from './limits.ts'
import type { Measured } from './measured.ts'
import { chargesOf, SHARDS, type Call, type Charged, type Resources } from './resources.ts'

interface Prepared {
  readonly call: Call
  /** Calls that one act makes. */
  readonly calls: number
  readonly latencyMs: number
}

/** When a run published its tree, when it ended, and where its time went, in milliseconds. */
export interface SimulatedRun {
  readonly publishedMs: number
  readonly endedMs: number
}

/** What the parts of runs took together, in milliseconds. */
export interface Parts {
  look: number
  collect: number
  commit: number
  clean: number
}

/**
 * A sequencer as its code is: it looks at all marks since the last look and some before, reads chains so many at a time, each
 * with its calls one after the other, commits, stores where blocks are, publishes, and removes old marks, in each shard one chain
 * after the other. Its calls are the measured ones; marks are taken to have come at the same rate for ever.
 */
export class SimulatedSequencer {
  readonly parts: Parts = { look: 0, collect: 0, commit: 0, clean: 0 }
  /** The longest look, in milliseconds. */
  longestLookMs = 0
  readonly #measured: Measured
  readonly #resources: Resources
  readonly #profile: Profile
  readonly #marksPerMs: number
  readonly #charges: {
    readonly always: readonly Prepared[]
    readonly reads: readonly Prepared[]
    readonly rows: readonly Prepared[]
    readonly clean: readonly Prepared[]
  }
  readonly #looked: number[]
  #lookedMs = 0
  #cleanedMs = 0
  #old = 0

  constructor(
    measured: Measured,
    profile: Profile,
    appendsPerSecond: number,
    resources: Resources,
    endMs: number,
  ) {
    this.#measured = measured
    this.#resources = resources
    this.#profile = profile
    this.#marksPerMs = appendsPerSecond / 1000
    const perChain = chargesOf(measured.perChain, profile).filter(({ name }) => name.startsWith('table.'))
    const isRead = ({ name }: Charged) => /\.(get|range)$/.test(name)
    const prepare = (charges: ReturnType<typeof chargesOf>): readonly Prepared[] =>
      charges.map((charge) => ({ ...charge, call: resources.prepare(charge, true) }))
    this.#charges = {
      always: prepare(chargesOf(measured.run, profile).filter(({ name }) => name !== 'table.dirty.range')),
      reads: prepare(perChain.filter((charge) => isRead(charge) && charge.calls > 0.5)),
      rows: prepare(perChain.filter(({ name }) => name === 'table.leaves.insert')),
      clean: prepare(chargesOf(measured.clean, profile)),
    }
    // Each kind of look comes once within its time; the rarest in the middle of what is simulated.
    this.#looked = REACHES.map(({ everyMs }) => Math.min(0, endMs / 2 - everyMs))
  }

  /** One run that begins at `nowMs` and takes so many blocks. */
  run(nowMs: number, blocks: number): SimulatedRun {
    const looked = this.#look(nowMs)
    const collected = blocks === 0 ? looked : this.#collect(looked, blocks)
    const publishedMs = blocks === 0 ? collected : this.#commit(collected, blocks)
    const endedMs = this.#clean(publishedMs)
    this.parts.look += looked - nowMs
    this.parts.collect += collected - looked
    this.parts.commit += publishedMs - collected
    this.parts.clean += endedMs - publishedMs
    this.longestLookMs = Math.max(this.longestLookMs, looked - nowMs)
    return { publishedMs, endedMs }
  }

  #look(nowMs: number): number {
    const due = REACHES.flatMap(({ backMs, everyMs }, i) =>
      nowMs - (this.#looked[i] ?? 0) >= everyMs ? [{ i, backMs }] : [],
    )
    const backMs = Math.max(...due.map((reach) => reach.backMs))
    for (const { i } of due) this.#looked[i] = nowMs
    const marks = this.#marksPerMs * (nowMs - this.#lookedMs + backMs)
    this.#lookedMs = nowMs
    const rows = marks / SHARDS
    const pages = Math.max(1, Math.ceil(rows / MARK_PAGE))
    const bytes = (rows / pages) * this.#measured.markBytes
    const units = this.#profile.billing.query(bytes)
    const latencyMs = this.#profile.latencies.table
    const call = this.#resources.prepare({ name: 'table.dirty.range', units, latencyMs }, true)
    let done = nowMs
    // Pages of a shard are read one after the other.
    for (let shard = 0; shard < SHARDS; shard++)
      done = Math.max(done, call(nowMs, pages, shard) + (pages - 1) * latencyMs)
    return done + marks * this.#measured.cpuMsPerMark
  }

  #collect(atMs: number, blocks: number): number {
    let now = atMs
    for (let from = 0; from < blocks; from += PARALLEL_CHAINS) {
      const chains = Math.min(PARALLEL_CHAINS, blocks - from)
      for (const { call, calls } of this.#charges.reads) now = call(now, chains * calls)
    }
    return now + blocks * this.#measured.cpuMsPerChain
  }

  #commit(atMs: number, blocks: number): number {
    let now = atMs
    for (let from = 0; from < blocks; from += PARALLEL_ROWS)
      for (const { call } of this.#charges.rows) now = call(now, Math.min(PARALLEL_ROWS, blocks - from))
    for (const { call, calls } of this.#charges.always) now = call(now, calls)
    return now
  }

  /** Marks grow old at the rate at which they come; rounds of ten minutes are spread over all runs. */
  #clean(atMs: number): number {
    this.#old += this.#marksPerMs * (atMs - this.#cleanedMs)
    this.#cleanedMs = atMs
    const marks = Math.min(this.#old, SHARDS * CLEAR_PAGE)
    this.#old -= marks
    let now = atMs
    for (let from = 0; from < marks; from += SHARDS) {
      const chains = Math.min(SHARDS, marks - from)
      for (const { call, calls, latencyMs } of this.#charges.clean)
        now = call(now, chains * calls) + (calls - 1) * latencyMs
    }
    return now + marks * this.#measured.cpuMsPerMark
  }

  /** Marks that should have been removed and were not. */
  get leftMarks(): number {
    return this.#old
  }
}
