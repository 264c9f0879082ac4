// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { CLEAR_EVERY_MS } from '#core/server/sequence/marks/clear-marks.ts'
import { MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import { auditFindings, entry } from '../scene.ts'
import { loggedOneByOne } from './home.ts'

type Home = Awaited<ReturnType<typeof loggedOneByOne>>

/** When it happens, of all times since the newest block was logged. */
const MOMENTS: readonly (readonly [when: string, passes: (home: Home) => Promise<void>])[] = [
  ['while marks lead to its blocks', async () => {}],
  [
    'after its marks were removed',
    async ({ world, own, marks }) => {
      world.clock.now += MARK_LIFE_MS + CLEAR_EVERY_MS
      await own.run()
      expect(await marks()).toBe(0)
    },
  ],
]

describe.each(MOMENTS)('a chain whose newest positions are lost %s', (_, passes) => {
  it.each([1, 4])('is not logged again by a new sequencer, but skipped (%i rows)', async (rows) => {
    const home = await loggedOneByOne(3)
    await passes(home)
    const { size } = await home.log()
    expect(await home.lose(home.record, rows)).toBe(rows)
    await home.append('news')
    await home.a.append(home.other.record, [entry('news')])
    const fresh = await home.sequencer()
    const skipped = [{ chain: home.record, code: 'STORE_CORRUPT' }]
    // Only the other record's block is logged, by whoever runs, however often.
    expect(await fresh.run()).toMatchObject({ outcome: 'logged', added: 1, skipped })
    expect(await fresh.run()).toMatchObject({ outcome: 'idle', skipped })
    expect(await (await home.sequencer()).run()).toMatchObject({ outcome: 'idle', skipped })
    const published = await home.world.platform.table('checkpoints').get('log', 'published')
    expect(
      Buffer.from(published?.value ?? '')
        .toString()
        .split('\n')[1],
    ).toBe(String(size + 1))
  })

  it('goes on after a repair, with every block logged once', async () => {
    const home = await loggedOneByOne(3)
    await passes(home)
    await home.lose(home.record, 2)
    await home.append('news')
    expect((await (await home.sequencer()).run()).skipped).toHaveLength(1)
    const found = (await auditFindings(home.world)).map(({ rule, where }) => ({ rule, where }))
    expect(found).toContainEqual({ rule: 'leaf-row', where: `leaves/${home.record}` })
    const { repaired } = await home.repair()
    expect(repaired).toMatchObject([{ rule: 'leaf-row', where: `leaves/${home.record}` }])
    expect(await (await home.sequencer()).run()).toMatchObject({ outcome: 'logged', added: 1, skipped: [] })
    expect((await home.log()).heights[home.record]).toEqual([0, 1, 2, 3, 4, 5])
    expect(await auditFindings(home.world)).toEqual([])
  })
})

describe('a chain whose newest positions and blocks are gone for a while', () => {
  it.each([1, 3])('is not logged again by whoever looked meanwhile (%i rows)', async (rows) => {
    const home = await loggedOneByOne(3)
    const { size } = await home.log()
    expect(await home.lose(home.record, rows)).toBe(rows)
    const takeBack = await home.take(home.record, rows)
    const fresh = await home.sequencer()
    expect(await fresh.run()).toMatchObject({ outcome: 'idle', skipped: [] })
    await takeBack()
    const skipped = [{ chain: home.record, code: 'STORE_CORRUPT' }]
    expect(await fresh.run()).toMatchObject({ outcome: 'idle', size, skipped })
    expect(await fresh.run()).toMatchObject({ outcome: 'idle', size, skipped })
    await home.repair()
    await home.append('news')
    expect(await fresh.run()).toMatchObject({ outcome: 'logged', added: 1, skipped: [] })
    expect((await home.log()).heights[home.record]).toEqual([0, 1, 2, 3, 4, 5])
  })
})

describe('a home whose table of positions is an older copy', () => {
  it('logs no block of any chain twice, nor of the registry, and all of them go on after a repair', async () => {
    const home = await loggedOneByOne(2)
    for (const chain of [home.record, home.other.record, home.other.access, home.world.registryId])
      await home.lose(chain, 9)
    await home.append('news')
    // Those of the other record come back with the last commit, which whoever begins finishes once more.
    const { outcome, added, skipped } = await (await home.sequencer()).run()
    expect({ outcome, added }).toEqual({ outcome: 'idle', added: 0 })
    expect(skipped.map(({ chain }) => chain).toSorted()).toEqual(
      [home.record, home.world.registryId].toSorted(),
    )
    await home.repair()
    expect(await (await home.sequencer()).run()).toMatchObject({ outcome: 'logged', added: 1, skipped: [] })
    expect((await home.log()).heights[home.record]).toEqual([0, 1, 2, 3, 4])
    expect(await auditFindings(home.world)).toEqual([])
  })
})
