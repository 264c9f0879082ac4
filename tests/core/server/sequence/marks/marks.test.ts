// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { wrapPlatform } from '#adapters/around/calls.ts'
import { failAt, withFaults, type Fault } from '#adapters/around/faults.ts'
import { CLEAR_EVERY_MS } from '#core/server/sequence/marks/clear-marks.ts'
import { MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import { attempts, census, DAY_MS, failCommits, mend, restoring, sweepNow } from '../../attempts.ts'
import { entry } from '../scene.ts'
import { logged, marked, nextRoundMs, sequencerOf, settle } from './marked.ts'

describe('marks', () => {
  it('are told from rows that are none, which keep nothing from being logged', async () => {
    const at = await attempts()
    const dirty = at.world.platform.table('dirty')
    const shard = at.record.slice(0, 1)
    const [mark] = await dirty.range(shard)
    for (const [i, value] of ['2', '{}', 'null', '[]', '{"v":1,"height":-1}', 'x'].entries())
      await dirty.insert(shard, `${mark?.key.slice(0, -1)}${i}`, new TextEncoder().encode(value))
    await dirty.insert(shard, '0', new Uint8Array([0xff]))
    await settle(at)
    expect(await logged(at)).toEqual([0, 1, 2])
  })

  it('go when they are older than their life and their chain is logged to its head, not before', async () => {
    const at = await attempts()
    const own = await sequencerOf(at)
    await own.run()
    expect(await marked(at, at.record)).toEqual([0, 1, 2])
    at.world.clock.now += MARK_LIFE_MS
    await own.run()
    expect(await marked(at, at.record)).toEqual([0, 1, 2])
    at.world.clock.now += CLEAR_EVERY_MS
    await own.run()
    expect(await marked(at, at.record)).toEqual([])
    await at.a.append(at.record, [entry('two')])
    expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1 })
    expect(await marked(at, at.record)).toEqual([3])
  })

  it('go once in each round, though no process that looks for them lives for more than a minute', async () => {
    const at = await attempts()
    await settle(at)
    at.world.clock.now += MARK_LIFE_MS + 90_000
    const looked: number[] = []
    for (let minute = 0; minute < CLEAR_EVERY_MS / 60_000; minute++) {
      at.world.clock.now += 60_000
      at.faults.plan(() => null)
      await (await sequencerOf(at)).run()
      looked.push(at.faults.calls().filter((call) => call === 'table.dirty.range').length)
    }
    // Each looks for new marks, and one of them for old ones.
    expect(looked.toSorted((a, b) => a - b)).toEqual([...Array.from({ length: 9 }, () => 64), 128])
    expect(await marked(at, at.record)).toEqual([])
  })

  it.each([[-1], [-60_000], [-3_600_000]])(
    'are read, and removed in time, after a clock was set by %i ms',
    async (backMs) => {
      const at = await attempts()
      const own = await sequencerOf(at)
      await own.run()
      at.world.clock.now -= backMs
      await own.run()
      at.world.clock.now += backMs
      await at.a.append(at.record, [entry('after the jump')])
      expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1 })
      at.world.clock.now += MARK_LIFE_MS + CLEAR_EVERY_MS
      for (let i = 0; i < 2; i++) await own.run()
      expect(await marked(at, at.record)).toEqual([])
    },
  )

  it('all stay as long as the head of their chain is not logged', async () => {
    const at = await attempts()
    await settle(at)
    await at.a.append(at.record, [entry('two')])
    const blocks = at.world.platform.table('blocks')
    const [newest] = await blocks.range(at.record, { reverse: true, limit: 1 })
    const another = await blocks.get(at.record, '0000000000000002')
    const damaged = await blocks.swap(
      at.record,
      newest?.key ?? '',
      newest?.version ?? null,
      another?.value ?? null,
    )
    at.world.clock.now += 2 * MARK_LIFE_MS
    await settle(at)
    expect(await marked(at, at.record)).toEqual([0, 1, 2, 3])
    await blocks.swap(at.record, newest?.key ?? '', damaged, newest?.value ?? null)
    await settle(at)
    expect(await logged(at)).toEqual([0, 1, 2, 3])
    expect(await marked(at, at.record)).toEqual([])
  })

  it('of a chain whose position was changed stay, and keep nobody from anything', async () => {
    const at = await attempts()
    const own = await sequencerOf(at)
    await own.run()
    const leaves = at.world.platform.table('leaves')
    const [row] = await leaves.range(at.record, { reverse: true, limit: 1 })
    await leaves.swap(at.record, row?.key ?? '', row?.version ?? null, new Uint8Array([0xff]))
    at.world.clock.now += MARK_LIFE_MS + CLEAR_EVERY_MS
    expect(await own.run()).toMatchObject({ outcome: 'idle' })
    expect(await marked(at, at.record)).toEqual([0, 1, 2])
  })

  it('of a block that never committed stay for the sweep, which removes its parts by them, and then them', async () => {
    const at = await attempts()
    const before = await census(at)
    failCommits(at)
    await expect(at.a.append(at.record, [entry('lost')])).rejects.toMatchObject({ code: 'STORE_FULL' })
    mend(at)
    at.world.clock.now += 2 * MARK_LIFE_MS
    await settle(at)
    expect(await marked(at, at.record)).toEqual([3])
    at.world.clock.now += 8 * DAY_MS
    expect(await sweepNow(at.world)).toMatchObject({ failed: 1, removed: { objects: 1, wraps: 1 } })
    expect((await census(at))['wraps']).toEqual(before['wraps'])
    expect(await marked(at, at.record)).toEqual([])
  })

  it('lead to a block that comes after they were given up, within one round', async () => {
    const at = await attempts()
    const own = await sequencerOf(at)
    await own.run()
    await at.a.append(at.record, [entry('late')])
    const blocks = at.world.platform.table('blocks')
    const [late] = await blocks.range(at.record, { reverse: true, limit: 1 })
    await blocks.swap(at.record, late?.key ?? '', late?.version ?? null, null)
    for (let i = 0; i < 3; i++) {
      at.world.clock.now += MARK_LIFE_MS
      await own.run()
    }
    await blocks.insert(at.record, late?.key ?? '', late?.value ?? new Uint8Array(0))
    expect(await own.run()).toMatchObject({ outcome: 'idle' })
    at.world.clock.now += CLEAR_EVERY_MS
    await own.run()
    expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1 })
    expect(await logged(at)).toEqual([0, 1, 2, 3])
  })

  it('are not removed for a block that comes behind the head which was looked at', async () => {
    const at = await attempts()
    await settle(at)
    await at.a.append(at.record, [entry('late')])
    const blocks = at.world.platform.table('blocks')
    const [late] = await blocks.range(at.record, { reverse: true, limit: 1 })
    await blocks.swap(at.record, late?.key ?? '', late?.version ?? null, null)
    const delayed = { comes: false }
    const own = await sequencerOf(
      at,
      wrapPlatform(at.world.platform, async (name, act) => {
        const result = await act()
        // Between the look at the head and the one at the blocks of old marks.
        if (delayed.comes && name === 'table.leaves.range')
          await blocks.insert(at.record, late?.key ?? '', late?.value ?? new Uint8Array(0))
        return result
      }),
    )
    await own.run()
    at.world.clock.now += 2 * MARK_LIFE_MS
    await own.run()
    await own.run()
    delayed.comes = true
    at.world.clock.now += CLEAR_EVERY_MS
    await own.run()
    expect(await marked(at, at.record)).toEqual([3])
    at.world.clock.now += CLEAR_EVERY_MS
    await settle(at)
    expect(await logged(at)).toEqual([0, 1, 2, 3])
  })

  it('are made once more when the block itself took so long to store that the first may be given up', async () => {
    const at = await attempts()
    const own = await sequencerOf(at)
    await own.run()
    at.around.current = async (name, act) => {
      if (name === 'table.blocks.insert') {
        at.world.clock.now += 2 * MARK_LIFE_MS
        await own.run()
        await own.run()
      }
      return act()
    }
    await at.a.append(at.record, [entry('late')])
    mend(at)
    expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1 })
    expect(await logged(at)).toEqual([0, 1, 2, 3])
  })
})

describe('removing marks', () => {
  /** A home with marks to remove, one that stays, and a block that is not logged yet. */
  async function due() {
    const at = await attempts()
    await settle(at)
    failCommits(at)
    await expect(at.a.append(at.record, [entry('lost')])).rejects.toBeDefined()
    mend(at)
    at.world.clock.now += 2 * MARK_LIFE_MS
    await at.a.append(at.record, [entry('two')])
    return at
  }

  it.each(['not-applied', 'applied-unknown', 'delayed'] as const)(
    'loses no block, whichever call was %s, and leaves nothing behind',
    async (fault: Fault) => {
      const at = await due()
      const { platform, plan, calls, deliver } = withFaults(at.world.platform)
      await restoring(at, async () => {
        plan(() => null)
        const own = await sequencerOf(at, platform)
        for (let i = 0; i < 2; i++) await own.run()
      })
      const trace = [...calls()]
      const removals = trace.flatMap((name, k) => (name === 'table.dirty.swap' ? [k] : []))
      expect(removals.length).toBeGreaterThan(3)
      const first = removals[0] ?? 0
      for (const k of new Set([...removals, first - 1, first - 2, first - 3]))
        await restoring(at, async () => {
          const own = await sequencerOf(at, platform)
          plan(failAt(k, fault))
          await expect(
            (async () => {
              for (let i = 0; i < 2; i++) await own.run()
            })(),
          ).rejects.toBeDefined()
          plan(() => null)
          await own.run()
          at.world.clock.now = nextRoundMs(at.world.clock.now + MARK_LIFE_MS + CLEAR_EVERY_MS)
          await deliver()
          await settle(at)
          expect({ k, logged: await logged(at), marked: await marked(at, at.record) }).toEqual({
            k,
            logged: [0, 1, 2, 3],
            marked: [3],
          })
        })
    },
  )

  it('loses no block that is appended meanwhile, wherever the append comes', async () => {
    const at = await due()
    const trace: string[] = []
    await restoring(at, async () => {
      const { platform, plan, calls } = withFaults(at.world.platform)
      plan(() => null)
      await settle({ ...at, world: { ...at.world, platform } })
      trace.push(...calls())
    })
    const first = trace.indexOf('table.dirty.swap')
    const step = process.env['SLOW'] === '1' ? 1 : 3
    for (let k = first - 4; k < trace.lastIndexOf('table.dirty.swap') + 2; k += step)
      await restoring(at, async (fresh) => {
        const { platform, plan, calls } = withFaults(at.world.platform)
        const appended: Promise<unknown>[] = []
        plan((index) => {
          if (index === k) appended.push(fresh.a.append(at.record, [entry('meanwhile')]))
          return null
        })
        const sequencer = await sequencerOf(at, platform)
        for (let i = 0; i < 3; i++) await sequencer.run()
        await Promise.all(appended)
        expect({ k, appended: appended.length, calls: calls().length > k }).toEqual({
          k,
          appended: 1,
          calls: true,
        })
        at.world.clock.now += MARK_LIFE_MS + CLEAR_EVERY_MS
        await settle(at)
        expect({ k, logged: await logged(at) }).toEqual({ k, logged: [0, 1, 2, 3, 4] })
      })
  })
})
