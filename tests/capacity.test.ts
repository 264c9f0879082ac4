// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { homesFor } from '#tests/bench/capacity/answers.ts'
import { PROFILES, withLimits, type Profile } from '#tests/bench/capacity/limits.ts'
import type { Measured } from '#tests/bench/capacity/measured.ts'
import { RateServer, seeded, Slots } from '#tests/bench/capacity/servers.ts'
import { simulate, SEQUENCER, type Load, type Outcome } from '#tests/bench/capacity/simulate.ts'
import { perAndBase, type Tally } from '#tests/bench/capacity/tally.ts'

const calls = (...names: readonly string[]): Tally =>
  Object.fromEntries(names.map((name) => [name, { calls: 1, bytes: 900 }]))

/** Counts that are made up: laws hold for any. The benchmark measures its own. */
const MADE_UP: Measured = {
  append: calls(
    'table.blocks.range',
    'table.registry.range',
    'table.dirty.insert',
    'objects.entries.store',
    'table.blocks.insert',
  ),
  run: calls('table.checkpoints.get', 'table.dirty.range', 'objects.staging.store', 'table.checkpoints.swap'),
  perChain: calls('table.leaves.range', 'table.blocks.range', 'table.leaves.insert'),
  receipt: {},
  clean: calls('table.blocks.range', 'table.dirty.swap'),
  markBytes: 300,
  cpuMsPerChain: 1,
  cpuMsPerMark: 0.005,
  logBytesPerLeaf: 100,
  leafRowBytes: 90,
  witnessedRowBytes: 10_000,
}
const [AWS] = PROFILES as readonly [Profile]
const run = (load: Partial<Load> = {}, profile = AWS): Outcome =>
  simulate(MADE_UP, profile, { appendsPerSecond: 100, seconds: 5, seed: 1, ...load })

describe('the simulation of a home', () => {
  it('loses nothing: what was appended is logged or waits, on each provider and at any load', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PROFILES),
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 1, max: 1e6 }),
        (profile, appendsPerSecond, seed) => {
          const { appended, logged, waiting } = run({ appendsPerSecond, seed, seconds: 2 }, profile)
          expect(logged + waiting).toBe(appended)
          expect(Math.abs(appended - 2 * appendsPerSecond)).toBeLessThanOrEqual(
            6 * Math.sqrt(2 * appendsPerSecond) + 1,
          )
        },
      ),
      { numRuns: 6 },
    )
  })

  it('gives the same for the same seed, and something else for another', () => {
    expect(run()).toEqual(run())
    expect(run().receiptMs).not.toEqual(run({ seed: 2 }).receiptMs)
  })

  it('does nothing without a load', () => {
    const { appended, logged, waiting, receiptMs, used } = run({ appendsPerSecond: 0 })
    expect({ appended, logged, waiting, receiptMs }).toEqual({
      appended: 0,
      logged: 0,
      waiting: 0,
      receiptMs: { p50: 0, p99: 0 },
    })
    for (const [, part] of used) expect(part).toBeLessThan(0.05)
  })

  it('uses more of what each append needs with more load, leaves no fewer waiting, and stores no faster', () => {
    const loads = [20, 100, 500, 1_500].map((appendsPerSecond) => run({ appendsPerSecond }))
    for (const [i, more] of loads.slice(1).entries()) {
      const [less, used] = [new Map(loads[i]?.used), new Map(more.used)]
      // A sequencer that has more to do runs less often, so that what each run costs is no law.
      for (const name of [
        SEQUENCER,
        'requests',
        'objects entries, writes',
        'the one partition of registry, reads',
      ])
        expect(used.get(name)).toBeGreaterThan(less.get(name) ?? 0)
      expect(more.waiting).toBeGreaterThanOrEqual(loads[i]?.waiting ?? 0)
      expect(more.storeMs.p99).toBeGreaterThanOrEqual((loads[i]?.storeMs.p99 ?? 0) - 1e-6)
    }
  })

  it('is limited by the next limit where the first one is taken away', () => {
    const most = (profile: Profile, hasSequencer: boolean, load: Partial<Load> = {}) =>
      run({ appendsPerSecond: 5_000, hasSequencer, seconds: 3, ...load }, profile).used.filter(
        // What waits takes a place; and in so short a time the look that comes each ten minutes is most of what is read of marks.
        ([name]) => !/requests at once|dirty|marks/.test(name),
      )[0]
    expect(most(AWS, true, { appendsPerSecond: 1_200, seconds: 12 })?.[0]).toBe(SEQUENCER)
    expect(most(AWS, false)?.[0]).toBe('the one partition of registry, reads')
    const unparted = withLimits(AWS, { partitionReads: Infinity })
    expect(most(unparted, false)?.[0]).toBe('objects entries, writes')
    const unstored = withLimits(unparted, { objectWrites: Infinity })
    expect(most(unstored, false)?.[0]).toBe('requests')
    expect(most(unstored, false)?.[1]).toBeCloseTo(0.5, 1)
  })
})

describe('what the simulation is made of', () => {
  it('does no more in a second than it can, whoever asks in whatever order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: 1, max: 120 })), { maxLength: 40 }),
        (perSecond, asked) => {
          const server = new RateServer(perSecond)
          const done = asked.map(([atMs, units]) => ({ atMs, units, doneMs: server.serve(atMs, units) }))
          expect(done.filter(({ atMs, doneMs }) => doneMs < atMs)).toEqual([])
          const last = Math.max(0, ...done.map(({ doneMs }) => doneMs))
          const units = done.reduce((sum, one) => sum + one.units, 0)
          expect(units).toBeLessThanOrEqual(perSecond * (Math.floor(last / 1000) + 1))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('lets no more in at once than there are places', () => {
    const slots = new Slots(2)
    const ends = [0, 0, 0, 10, 10].map((atMs) => slots.take(atMs, () => 100))
    expect(ends).toEqual([100, 100, 200, 200, 300])
    const random = seeded(3)
    const many = new Slots(7)
    const spans = Array.from({ length: 300 }, (_, i) => {
      const lastsMs = 1 + 40 * random()
      const endsMs = many.take(i, () => lastsMs)
      return { fromMs: endsMs - lastsMs, endsMs }
    })
    const inside = spans.map(
      ({ fromMs }) => spans.filter((one) => one.fromMs <= fromMs && one.endsMs > fromMs + 1e-6).length,
    )
    expect(Math.max(...inside)).toBe(7)
  })

  it('takes apart what grows with a count and what does not', () => {
    const tally = (n: number): Tally => ({
      a: { calls: 3 + 2 * n, bytes: 10 + 5 * n },
      b: { calls: 64, bytes: 7 },
    })
    expect(perAndBase([tally(4), 4], [tally(20), 20])).toEqual({
      per: { a: { calls: 2, bytes: 5 }, b: { calls: 0, bytes: 0 } },
      base: { a: { calls: 3, bytes: 10 }, b: { calls: 64, bytes: 7 } },
    })
  })

  it('counts homes by the peak, at least one', () => {
    expect(homesFor(0, 100).homes).toBe(1)
    const { average, peak, homes } = homesFor(31.557_6, 100, { patients: 1e6, peak: 3, headroom: 0.5 })
    expect([average, peak, homes].map((value) => Math.round(value))).toEqual([1, 3, 1])
    expect(homesFor(365.25, 100).homes).toBe(Math.ceil((1e8 / 86_400) * 4 * (1 / 50)))
  })
})
