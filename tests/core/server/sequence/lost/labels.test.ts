// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createRecord } from '#core/client/acts/create-record.ts'
import { growUnsigned } from '#tests/bench/worlds/unsigned-blocks.ts'
import { auditFindings, entry } from '../scene.ts'
import { HOME, loggedOneByOne } from './home.ts'

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

  it('skips a chain when a bundle is missing that could have its label, and no chain that is new', async () => {
    const home = await loggedOneByOne(1)
    await growUnsigned(home.world, await home.a.replica(home.other.record), 300)
    await home.own.run()
    await home.a.append(home.other.access, [entry('so that another commit is the last one')])
    await home.own.run()
    await home.append('news')
    const born = await createRecord(home.a, HOME, ['general'])
    await home.a.append(born.record, [entry('behind a genesis')])
    const log = home.world.platform.objects('log')
    const bundle = await log.fetch('tile/entries/000')
    await log.shred('tile/entries/000')
    const fresh = await home.sequencer()
    // What begins with a genesis cannot be in it: its tile has another hash for each leaf.
    expect(await fresh.run()).toMatchObject({
      outcome: 'logged',
      added: 5,
      skipped: [{ chain: home.record, code: 'STORE_CORRUPT' }],
    })
    await log.store('tile/entries/000', bundle ?? new Uint8Array(0))
    expect(await fresh.run()).toMatchObject({ outcome: 'logged', added: 1, skipped: [] })
  })

  it('finds a genesis by the tile of a bundle that is missing, and skips it where that is changed too', async () => {
    const home = await loggedOneByOne(1)
    const born = await createRecord(home.a, HOME, ['general'])
    await home.own.run()
    await growUnsigned(home.world, await home.a.replica(home.other.record), 300)
    await home.own.run()
    await home.a.append(home.other.access, [entry('so that another commit is the last one')])
    await home.own.run()
    await home.lose(born.record, 9)
    const log = home.world.platform.objects('log')
    await log.shred('tile/entries/000')
    await home.markAgain(born.record)
    const skipped = [{ chain: born.record, code: 'STORE_CORRUPT' }]
    expect(await (await home.sequencer()).run()).toMatchObject({ outcome: 'idle', skipped })
    await log.shred('tile/0/000')
    await log.store('tile/0/000', new Uint8Array(256 * 32))
    expect(await (await home.sequencer()).run()).toMatchObject({ outcome: 'idle', skipped })
  })

  it('logs the chains when a bundle is missing that could have the label of a registry block', async () => {
    const home = await loggedOneByOne(1)
    await growUnsigned(home.world, await home.a.replica(home.other.record), 300)
    await home.own.run()
    await home.a.append(home.other.access, [entry('so that another commit is the last one')])
    await home.own.run()
    await home.world.platform.objects('log').shred('tile/entries/000')
    await home.changeRegistry()
    await createRecord(home.a, HOME, ['general'])
    expect(await (await home.sequencer()).run()).toMatchObject({
      outcome: 'logged',
      added: 4,
      skipped: [{ chain: home.world.registryId, code: 'STORE_CORRUPT' }],
    })
  })
})
