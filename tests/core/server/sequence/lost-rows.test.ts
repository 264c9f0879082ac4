// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select } from '#core/ports/needs.ts'
import { REPAIR_NEEDS } from '#core/server/repair/needs.ts'
import { repairLog } from '#core/server/repair/repair-log.ts'
import { CLEAR_EVERY_MS } from '#core/server/sequence/marks/clear-marks.ts'
import { MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { dirtyShard, markOf } from '#core/server/store/attempt.ts'
import { growUnsigned } from '#tests/bench/worlds/unsigned-blocks.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { auditFindings, entry } from './scene.ts'
import { expectedOf, wholeLog } from './whole-log.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

/** A record whose blocks were logged one by one, another one logged last, and nothing that is not logged. */
async function loggedOneByOne(blocks: number) {
  const world = await testDeployment(['hospital-a'])
  const a = world.connect('hospital-a')
  const { platform, counts, reset } = countCalls(world.platform)
  const sequencer = async () => createSequencer(await select(platform, SEQUENCER_NEEDS), world.home)
  const own = await sequencer()
  const { record, access } = await createRecord(a, HOME, ['general'])
  await own.run()
  const append = async (text: string) => {
    await a.append(record, [entry(text)])
    world.clock.now += 1000
  }
  for (let i = 0; i < blocks; i++) {
    await append(String(i))
    await own.run()
  }
  // The rows of the last commit are stored again by whoever begins: those of another record.
  const other = await createRecord(a, HOME, ['general'])
  await own.run()
  const chains = [record, access, other.record, other.access]
  return {
    world,
    a,
    own,
    record,
    other,
    sequencer,
    append,
    counts,
    reset,
    log: async () => wholeLog(world.platform, await expectedOf(world.platform, world.registryId, chains)),
    repair: async () => repairLog(await select(world.platform, REPAIR_NEEDS), world.home, world.logTrust),
    lose: async (chain: ChainId | Digest, rows: number) => {
      const leaves = world.platform.table('leaves')
      const newest = await leaves.range(chain, { reverse: true, limit: rows })
      for (const { key, version } of newest) await leaves.swap(chain, key, version, null)
      return newest.length
    },
    /** Takes the newest blocks of a chain away; what it answers puts them back. */
    take: async (chain: ChainId, rows: number) => {
      const stored = world.platform.table('blocks')
      const newest = await stored.range(chain, { reverse: true, limit: rows })
      for (const { key, version } of newest) await stored.swap(chain, key, version, null)
      return async () => {
        for (const { key, value } of newest) await stored.insert(chain, key, value)
      }
    },
    /** Changes the row of the committed tree, as whoever can write the table could. */
    changeTree: async (changed: Readonly<Record<string, unknown>>) => {
      const checkpoints = world.platform.table('checkpoints')
      const row = await checkpoints.get('log', 'tree')
      const value = { ...JSON.parse(fromUtf8(row?.value ?? utf8('{}'))), ...changed }
      await checkpoints.swap('log', 'tree', row?.version ?? null, canonicalBytes(value))
    },
    /** A mark for the newest block of the record, as sending it again makes one. */
    markAgain: async () => {
      const [newest] = await world.platform.table('blocks').range(record, { reverse: true, limit: 1 })
      const mark = markOf(parseBlock(fromUtf8(newest?.value ?? utf8(''))), world.clock.now)
      await world.platform.table('dirty').insert(dirtyShard(record), mark.key, mark.value)
    },
    marks: async () => (await world.platform.table('dirty').range(record.slice(0, 1))).length,
  }
}
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

describe('looking for labels in the log', () => {
  it('finds those in bundles that are full, and reads each once', async () => {
    const home = await loggedOneByOne(1)
    await growUnsigned(home.world, await home.a.replica(home.other.record), 400)
    await home.own.run()
    await home.append('last')
    await home.own.run()
    await home.a.append(home.other.access, [entry('later')])
    await home.own.run()
    await home.lose(home.record, 2)
    await home.append('news')
    const fresh = await home.sequencer()
    home.reset()
    expect((await fresh.run()).skipped).toMatchObject([{ chain: home.record }])
    expect(home.counts()['objects.log.fetch']).toBeLessThan(12)
    home.reset()
    expect((await fresh.run()).skipped).toMatchObject([{ chain: home.record }])
    expect(home.counts()['objects.log.fetch']).toBeUndefined()
  })

  it('reads only what was logged since shortly before the block was signed', async () => {
    const home = await loggedOneByOne(1)
    await growUnsigned(home.world, await home.a.replica(home.other.record), 300)
    await home.own.run()
    home.world.clock.now += 3_600_000
    const idle = await home.sequencer()
    home.reset()
    expect(await idle.run()).toMatchObject({ outcome: 'idle' })
    const fetches = home.counts()['objects.log.fetch']
    await home.append('later')
    const fresh = await home.sequencer()
    home.reset()
    expect(await fresh.run()).toMatchObject({ outcome: 'logged', added: 1, skipped: [] })
    // No more than whoever begins and has nothing to look for.
    expect(home.counts()['objects.log.fetch']).toBe(fetches)
  })

  it.each([
    ['past sizes', { pastSizes: [{ signedAt: 1, size: 256 }] }],
    ['past sizes and no seal', { pastSizes: [{ signedAt: 1, size: 256 }], seal: null }],
    ['past sizes and another seal', { pastSizes: [{ signedAt: 1, size: 256 }], seal: 'AAAA' }],
  ])('begins with the first leaf when the row of the tree was changed: %s', async (_, changed) => {
    const home = await loggedOneByOne(1)
    await growUnsigned(home.world, await home.a.replica(home.other.record), 300)
    await home.own.run()
    home.world.clock.now += 3_600_000
    await home.a.append(home.other.access, [entry('so that another commit is the last one')])
    await home.own.run()
    await home.lose(home.record, 1)
    await home.changeTree(changed)
    await home.markAgain()
    const fresh = await home.sequencer()
    home.reset()
    expect(await fresh.run()).toMatchObject({ outcome: 'idle', skipped: [{ chain: home.record }] })
    await home.repair()
    await home.append('news')
    expect(await fresh.run()).toMatchObject({ outcome: 'logged', added: 1, skipped: [] })
    expect(await auditFindings(home.world)).toEqual([])
  })

  it('signs nothing when the time in the row of the tree was changed', async () => {
    const home = await loggedOneByOne(1)
    await home.append('news')
    await home.changeTree({ signedAt: Math.floor(home.world.clock.now / 1000) + 86_400 })
    await expect((await home.sequencer()).run()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('skips a chain when a bundle is missing that could have its label', async () => {
    const home = await loggedOneByOne(1)
    await growUnsigned(home.world, await home.a.replica(home.other.record), 300)
    await home.own.run()
    await home.a.append(home.other.access, [entry('so that another commit is the last one')])
    await home.own.run()
    await home.append('news')
    const log = home.world.platform.objects('log')
    const bundle = await log.fetch('tile/entries/000')
    await log.shred('tile/entries/000')
    const fresh = await home.sequencer()
    expect(await fresh.run()).toMatchObject({
      outcome: 'idle',
      skipped: [{ chain: home.record, code: 'STORE_CORRUPT' }],
    })
    await log.store('tile/entries/000', bundle ?? new Uint8Array(0))
    expect(await fresh.run()).toMatchObject({ outcome: 'logged', added: 1, skipped: [] })
  })
})
