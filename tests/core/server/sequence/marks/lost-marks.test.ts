// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt } from '#adapters/around/faults.ts'
import { MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import { SWEEP_STALE_MS } from '#core/server/sweep/sweep.ts'
import { attempts, callsOf, census, DAY_MS, failCommits, mend, restoring, sweepNow } from '../../attempts.ts'
import { entry } from '../scene.ts'
import { loseMarks, marked, newest, sequencerOf, settle } from './marked.ts'

describe('marks of attempts that failed', () => {
  it('that the sweep removes are found again and removed when it was disturbed', async () => {
    const at = await attempts()
    const before = await census(at)
    failCommits(at)
    await expect(at.a.append(at.record, [entry('lost')])).rejects.toBeDefined()
    mend(at)
    await settle(at)
    at.world.clock.now += 8 * DAY_MS
    await settle(at)
    const calls = await callsOf(at, (fresh) => sweepNow(fresh.world))
    const removal = calls.indexOf('table.dirty.swap')
    expect(removal).toBeGreaterThan(0)
    for (const k of [removal - 1, removal, removal + 1, removal + 2])
      for (const fault of ['not-applied', 'applied-unknown'] as const)
        await restoring(at, async () => {
          at.faults.plan(failAt(k, fault))
          await expect(sweepNow(at.world)).rejects.toBeDefined()
          at.faults.plan(() => null)
          at.world.clock.now += SWEEP_STALE_MS
          await sweepNow(at.world)
          const { wraps } = await census(at)
          expect({ k, fault, marks: await marked(at, at.record) }).toEqual({ k, fault, marks: [] })
          expect(wraps).toEqual(before['wraps'])
        })
  })

  it('of a chain with a block that cannot be read stay, as what they name is not swept', async () => {
    const at = await attempts()
    failCommits(at)
    await expect(at.a.append(at.record, [entry('lost')])).rejects.toBeDefined()
    mend(at)
    const blocks = at.world.platform.table('blocks')
    const [genesis] = await blocks.range(at.record)
    await blocks.swap(at.record, genesis?.key ?? '', genesis?.version ?? null, new Uint8Array([0xff]))
    at.world.clock.now += 8 * DAY_MS
    await sweepNow(at.world)
    expect(await marked(at, at.record)).toEqual([0, 1, 2, 3])
  })
})

describe('marks that were lost', () => {
  it('are made anew for a block that is sent again and is not logged', async () => {
    const at = await attempts()
    await settle(at)
    const own = await sequencerOf(at)
    await own.run()
    await at.a.append(at.record, [entry('two')])
    await at.a.submit(newest(at))
    expect(await marked(at, at.record)).toEqual([0, 1, 2, 3])
    await loseMarks(at)
    expect(await own.run()).toMatchObject({ outcome: 'idle' })
    await at.a.submit(newest(at))
    expect(await marked(at, at.record)).toEqual([3])
    expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1 })
  })

  it('are not made anew for a block that is sent again and is logged', async () => {
    const at = await attempts()
    await settle(at)
    at.world.clock.now += 2 * MARK_LIFE_MS
    await settle(at)
    await at.a.submit(newest(at))
    expect(await marked(at, at.record)).toEqual([])
  })

  it('are made for a block that is sent again when nobody can say whether it is logged', async () => {
    const at = await attempts()
    await settle(at)
    const leaves = at.world.platform.table('leaves')
    const [row] = await leaves.range(at.record, { reverse: true, limit: 1 })
    await leaves.swap(at.record, row?.key ?? '', row?.version ?? null, new Uint8Array([0xff]))
    await loseMarks(at)
    await at.a.submit(newest(at))
    expect(await marked(at, at.record)).toEqual([2])
  })
})
