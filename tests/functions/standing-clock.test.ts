// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { CLOCK_TOLERANCE_MS } from '#core/api/limits.ts'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { isAmpereError } from '#core/errors.ts'
import { select } from '#core/ports/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { homeApp } from '#functions/all.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import {
  STAND_MS,
  standingClock,
  untilStands,
  type ClockBefore,
} from '#functions/sequencer/standing-clock.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const HOUR_MS = 3_600_000
const LEAPT = { code: 'CLOCK_SKEW', message: 'the clock leapt by 3600 s' }

function clockAt() {
  const at = { wall: 1_000_000, elapsed: 5 }
  return {
    at,
    pass: (ms: number) => {
      at.wall += ms
      at.elapsed += ms
    },
    read: standingClock(
      () => at.wall,
      () => at.elapsed,
    ),
  }
}

describe('the clock by which a log signs', () => {
  it('is the clock, however long nobody looked', () => {
    const { at, pass, read } = clockAt()
    for (const ms of [0, 1000, HOUR_MS, 24 * HOUR_MS]) {
      pass(ms)
      expect(read()).toBe(at.wall)
    }
  })

  it('may be set by what clocks may differ by', () => {
    const { at, read } = clockAt()
    read()
    for (const ms of [CLOCK_TOLERANCE_MS, -CLOCK_TOLERANCE_MS]) {
      at.wall += ms
      expect(read()).toBe(at.wall)
    }
    at.wall -= CLOCK_TOLERANCE_MS + 1
    expect(read).toThrow('the clock leapt by -120 s')
  })

  it('says nothing while it has leapt, and goes on at once when that is taken back', () => {
    const { at, pass, read } = clockAt()
    read()
    at.wall += HOUR_MS
    for (let ms = 0; ms < STAND_MS; ms += 1000) {
      expect(read).toThrow(expect.objectContaining(LEAPT))
      pass(1000)
    }
    at.wall -= HOUR_MS
    expect(read()).toBe(at.wall)
  })

  it('is believed again once it has stood, as that of a computer that slept', () => {
    const { at, pass, read } = clockAt()
    read()
    at.wall += HOUR_MS
    expect(read).toThrow(expect.objectContaining(LEAPT))
    pass(STAND_MS - 1)
    expect(read).toThrow(expect.objectContaining(LEAPT))
    pass(1)
    expect(read()).toBe(at.wall)
    pass(1000)
    expect(read()).toBe(at.wall)
  })

  it('begins to wait anew with each leap', () => {
    const { at, pass, read } = clockAt()
    read()
    at.wall += HOUR_MS
    expect(read).toThrow()
    pass(STAND_MS)
    at.wall += HOUR_MS
    expect(read).toThrow()
    pass(STAND_MS)
    expect(read()).toBe(at.wall)
  })
})

describe('many small steps of a clock', () => {
  it('are a leap as well', () => {
    const { at, pass, read } = clockAt()
    read()
    for (let step = 0; step < 2; step++) {
      pass(1000)
      at.wall += CLOCK_TOLERANCE_MS - 1000
      if (step === 0) expect(read()).toBe(at.wall)
      else expect(read).toThrow('the clock leapt by 238 s')
    }
    at.wall -= 2 * (CLOCK_TOLERANCE_MS - 1000)
    expect(read()).toBe(at.wall)
  })

  it('are followed while each of them stands', () => {
    const { at, pass, read } = clockAt()
    for (let step = 0; step < 10; step++) {
      at.wall += CLOCK_TOLERANCE_MS - 1000
      for (let ms = 0; ms <= 2 * STAND_MS; ms += 1000) {
        expect(read()).toBe(at.wall)
        pass(1000)
      }
    }
  })

  it('move nothing when they are taken back, however often', () => {
    const { at, pass, read } = clockAt()
    for (let second = 0; second < 200; second++) {
      expect(read()).toBe(at.wall)
      at.wall += CLOCK_TOLERANCE_MS
      expect(read()).toBe(at.wall)
      at.wall -= CLOCK_TOLERANCE_MS
      pass(1000)
    }
    at.wall += CLOCK_TOLERANCE_MS + 1
    expect(read).toThrow('the clock leapt by 120 s')
  })
})

describe('the first reading of a clock', () => {
  const from = (before: ClockBefore) => {
    const at = { wall: 1_000_000, elapsed: 5_000 }
    const read = standingClock(
      () => at.wall,
      () => at.elapsed,
      before,
    )
    return { at, read }
  }

  it('is compared with what the clock said when the process began', () => {
    const began = { wallMs: 995_000, elapsedMs: 0 }
    expect(from({ began }).read()).toBe(1_000_000)
    for (const ms of [HOUR_MS, -HOUR_MS]) {
      const { at, read } = from({ began })
      at.wall += ms
      expect(read).toThrow(`the clock leapt by ${ms / 1000} s`)
      at.wall -= ms
      expect(read()).toBe(at.wall)
    }
  })

  it('is not believed when it is before a time that has been, until it stood', () => {
    expect(from({ knownMs: 1_000_000 + CLOCK_TOLERANCE_MS }).read()).toBe(1_000_000)
    const { at, read } = from({ knownMs: 1_000_000 + HOUR_MS })
    expect(read).toThrow('the clock is 3600 s before what was signed here')
    at.wall += STAND_MS
    at.elapsed += STAND_MS
    expect(read()).toBe(at.wall)
  })

  it('that is near to what was signed is not what a later leap is compared with in words', () => {
    const { at, read } = from({ knownMs: 1_000_000 + 5_000 })
    expect(read()).toBe(1_000_000)
    at.wall += HOUR_MS
    expect(read).toThrow('the clock leapt by 3595 s')
  })

  it('is waited for by who would end before, and no longer than it takes to stand', async () => {
    for (const [leapMs, lasts] of [
      [0, 0],
      [HOUR_MS, STAND_MS],
    ] as const) {
      const { at, read } = from({ knownMs: 1_000_000 + leapMs })
      const why: string[] = []
      const pause = async (ms: number) => {
        at.wall += ms
        at.elapsed += ms
      }
      await untilStands(read, pause, (text) => void why.push(text))
      expect(at.elapsed - 5_000).toBe(lasts)
      expect(why).toHaveLength(lasts > 0 ? 1 : 0)
      expect(read()).toBe(at.wall)
    }
    const never = from({ knownMs: 1_000_000 + HOUR_MS })
    let pauses = 0
    const stopped = async () => void (pauses += 1)
    await untilStands(never.read, stopped, () => {})
    expect(pauses).toBeLessThan(40)
  })

  it('is not held against a time in the row of the tree that the log did not sign', async () => {
    const world = await testDeployment(['hospital-a'])
    const { platform, home, random, clock, tendLog } = world
    await createRecord(world.connect('hospital-a'), HOME, ['general'])
    await tendLog()
    const checkpoints = platform.table('checkpoints')
    const row = await checkpoints.get('log', 'tree')
    const tree = JSON.parse(fromUtf8(row?.value ?? utf8('{}'))) as Record<string, unknown>
    const changed = canonicalBytes({ ...tree, signedAt: (tree['signedAt'] as number) + 3600 })
    await checkpoints.swap('log', 'tree', row?.version ?? '', changed)
    const hosting = { now: () => clock.now, random, log: () => {} }
    const opened = await homeApp(platform, home, hosting, { elapsed: () => 0 })
    expect(opened.clock()).toBe(clock.now)
  })

  it('is believed at once after however long, because a home that was not running looks the same', () => {
    expect(from({ knownMs: 1 }).read()).toBe(1_000_000)
  })
})

describe('a log whose clock is wrong', () => {
  it('signs nothing at a start with a clock behind what it signed, or what witnesses cosigned', async () => {
    const { world, policy, clock, base } = await witnessedWorld(['w1'], 1)
    await createRecord(world.connect('hospital-a'), HOME, ['general'])
    await world.tendLog()
    const lines: string[] = []
    const hosting = {
      now: () => clock.now,
      random: world.random,
      log: ({ event }: LogFields) => void lines.push(event),
    }
    const start = async () => homeApp(base, world.home, hosting, { policy, elapsed: () => 0 })
    const published = async () => base.table('checkpoints').get('log', 'published')
    // Idle for a day: only the witness saw that it passed.
    clock.now += 24 * HOUR_MS
    await world.tendLog()
    clock.now -= 23 * HOUR_MS
    await createRecord(world.connect('hospital-a'), HOME, ['general'])
    const before = await published()
    await (await start()).tendLog()
    expect(new Set(lines)).toEqual(new Set(['log-failed', 'cosign-failed']))
    expect(await published()).toEqual(before)
    clock.now += 23 * HOUR_MS
    await (await start()).tendLog()
    expect(lines).toContain('logged')
  })

  it('signs nothing, says why, and loses no block', async () => {
    const world = await testDeployment(['hospital-a'])
    const { platform, home, clock, random } = world
    const lines: LogFields[] = []
    const hosting = { now: () => clock.now, random, log: (line: LogFields) => void lines.push(line) }
    const began = clock.now
    const { tendLog } = await homeApp(platform, home, hosting, {
      elapsed: () => (clock.now - began) % HOUR_MS,
    })
    await tendLog()
    await createRecord(world.connect('hospital-a'), HOME, ['general'])
    const treeOf = async () =>
      fromUtf8((await platform.table('checkpoints').get('log', 'published'))?.value ?? new Uint8Array(0))
    const before = await treeOf()
    clock.now += HOUR_MS
    lines.length = 0
    await tendLog()
    expect(lines).toEqual([{ event: 'log-failed', role: 'sequencer', code: 'CLOCK_SKEW' }])
    expect(await treeOf()).toBe(before)
    clock.now -= HOUR_MS
    await tendLog()
    expect(await treeOf()).not.toBe(before)
  })

  it('commits nothing that was signed by one wrong reading', async () => {
    const world = await testDeployment(['hospital-a'])
    await createRecord(world.connect('hospital-a'), HOME, ['general'])
    const ports = await select(world.platform, SEQUENCER_NEEDS)
    const wrong = { at: 0 }
    let read = 0
    const now = () => world.clock.now + (++read === wrong.at ? HOUR_MS : 0)
    const sequencer = createSequencer({ ...ports, now }, world.home)
    let refused = 0
    do {
      wrong.at++
      read = 0
      // A wrong reading elsewhere than at the signature may fail in another way.
      await sequencer.run().catch((error: unknown) => {
        if (isAmpereError(error, 'CLOCK_SKEW')) refused++
      })
      const row = await world.platform.table('checkpoints').get('log', 'tree')
      const text = fromUtf8(row?.value ?? utf8('{"signedAt":0}'))
      const { signedAt } = JSON.parse(text) as { signedAt: number }
      expect(signedAt * 1000).toBeLessThanOrEqual(world.clock.now)
      await createRecord(world.connect('hospital-a'), HOME, ['general'])
    } while (read >= wrong.at)
    expect(refused).toBeGreaterThan(1)
  })
})
