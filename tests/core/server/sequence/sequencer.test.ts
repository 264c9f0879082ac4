// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { select } from '#core/ports/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer, type Sequencer } from '#core/server/sequence/sequencer.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { expectedOf, wholeLog, type WholeLog } from './whole-log.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

interface World {
  readonly world: TestDeployment
  readonly connection: Connection
  readonly sequencer: (maxLeaves?: number) => Promise<Sequencer>
  readonly record: () => Promise<ChainId[]>
  readonly log: (chains: readonly string[]) => Promise<WholeLog>
}

async function makeWorld(): Promise<World> {
  const world = await testDeployment(['hospital-a'])
  const connection = world.connect('hospital-a')
  return {
    world,
    connection,
    sequencer: async (maxLeaves) =>
      createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home, maxLeaves),
    record: async () => Object.values(await createRecord(connection, HOME, ['general'])),
    log: async (chains) =>
      wholeLog(world.platform, await expectedOf(world.platform, world.registryId, chains)),
  }
}

describe('a sequencer', () => {
  it('begins with the tree of no leaves, signed by both keys, and logs the registry first', async () => {
    const { world, sequencer, log } = await makeWorld()
    const { outcome, size, added } = await (await sequencer()).run()
    expect({ outcome, size, added }).toEqual({ outcome: 'logged', size: 1, added: 1 })
    expect((await log([])).heights).toEqual({ [world.registryId]: [0] })
  })

  it.each([['published'], ['witnessed'], ['the positions of blocks']])(
    'begins no log anew whose committed tree is missing, while there is what is %s',
    async (left) => {
      const { sequencer, world } = await makeWorld()
      await (await sequencer()).run()
      const checkpoints = world.platform.table('checkpoints')
      const tree = await checkpoints.get('log', 'tree')
      const published = await checkpoints.get('log', 'published')
      if (!tree || !published) throw new Error('nothing was committed')
      if (left === 'witnessed') await checkpoints.insert('witnessed', '0000000000000001', published.value)
      await checkpoints.swap('log', 'tree', tree.version, null)
      if (left !== 'published') await checkpoints.swap('log', 'published', published.version, null)
      const leaves = world.platform.table('leaves')
      const [row] = await leaves.range(world.registryId)
      if (row && left !== 'the positions of blocks')
        await leaves.swap(world.registryId, row.key, row.version, null)
      await expect((await sequencer()).run()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
      expect(await checkpoints.get('log', 'tree')).toBeNull()
    },
  )

  it('logs every block of every chain once, in order of height, and then is idle', async () => {
    const { connection, sequencer, record, log, world } = await makeWorld()
    const own = await sequencer()
    const chains = await record()
    const [first = '' as ChainId] = chains
    await connection.append(first, [entry('one')])
    await own.run()
    await connection.append(first, [entry('two')])
    await connection.append(first, [entry('three')])
    await own.run()
    expect(await own.run()).toMatchObject({ outcome: 'idle', added: 0, skipped: [] })
    const { heights, size } = await log(chains)
    expect(heights[first]).toEqual([0, 1, 2, 3, 4])
    expect(size).toBe(1 + Object.values(heights).flat().length - 1)
    expect(Object.keys(heights)).toEqual([world.registryId, ...chains])
  })

  it('takes no more than its limit in a run, and says that there is more', async () => {
    const { connection, sequencer, record, log } = await makeWorld()
    const chains = await record()
    const [first = '' as ChainId] = chains
    for (let i = 0; i < 5; i++) await connection.append(first, [entry(String(i))])
    const own = await sequencer(3)
    const added: number[] = []
    for (;;) {
      const report = await own.run()
      if (report.outcome === 'idle') break
      added.push(report.added)
    }
    expect(Math.max(...added)).toBe(3)
    expect((await log(chains)).heights[first]).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  it('goes on after a restart where it was', async () => {
    const { connection, sequencer, record, log } = await makeWorld()
    const chains = await record()
    const [first = '' as ChainId] = chains
    await (await sequencer()).run()
    await connection.append(first, [entry('later')])
    expect(await (await sequencer()).run()).toMatchObject({ outcome: 'logged', added: 1 })
    expect((await log(chains)).heights[first]).toEqual([0, 1, 2])
  })

  it('logs what was appended long before it first ran, and after it was away for long', async () => {
    const { world, connection, sequencer, record, log } = await makeWorld()
    const chains = await record()
    const [first = '' as ChainId] = chains
    world.clock.now += 24 * 3_600_000
    const own = await sequencer()
    await own.run()
    expect((await log(chains)).heights[first]).toEqual([0, 1])
    await connection.append(first, [entry('while it is away')])
    world.clock.now += 24 * 3_600_000
    expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1 })
    await connection.append(first, [entry('while it is stopped')])
    world.clock.now += 24 * 3_600_000
    expect(await (await sequencer()).run()).toMatchObject({ outcome: 'logged', added: 1 })
    expect((await log(chains)).heights[first]).toEqual([0, 1, 2, 3])
  })

  it('waits for the block of a mark that came first, and gives up what never became one', async () => {
    const { world, connection, sequencer, record, log } = await makeWorld()
    const chains = await record()
    const [first = '' as ChainId] = chains
    const own = await sequencer()
    await own.run()
    await connection.append(first, [entry('slow')])
    const blocks = world.platform.table('blocks')
    const row = await blocks.get(first, '0000000000000002')
    await blocks.swap(first, row?.key ?? '', row?.version ?? null, null)
    expect(await own.run()).toMatchObject({ outcome: 'idle' })
    world.clock.now += 9 * 60_000
    expect(await own.run()).toMatchObject({ outcome: 'idle' })
    await blocks.insert(first, row?.key ?? '', row?.value ?? new Uint8Array(0))
    expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1 })
    expect((await log(chains)).heights[first]).toEqual([0, 1, 2])
  })

  it('skips a chain whose next block is not the one that follows, and logs all others', async () => {
    const { world, connection, sequencer, record, log } = await makeWorld()
    const [first = '' as ChainId, ...others] = await record()
    const own = await sequencer()
    await own.run()
    await connection.append(first, [entry('one')])
    const blocks = world.platform.table('blocks')
    const row = await blocks.get(first, '0000000000000002')
    const another = await blocks.get(first, '0000000000000001')
    if (!row || !another) throw new Error('no block')
    await blocks.swap(first, row.key, row.version, another.value)
    const second = await record()
    expect(await own.run()).toMatchObject({
      outcome: 'logged',
      skipped: [{ chain: first, code: 'STORE_CORRUPT' }],
    })
    const changed = await blocks.get(first, row.key)
    await blocks.swap(first, row.key, changed?.version ?? null, row.value)
    expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1, skipped: [] })
    expect((await log([first, ...others, ...second])).heights[first]).toEqual([0, 1, 2])
  })

  it('skips a chain whose position was changed beyond reading, and logs all others', async () => {
    const { world, sequencer, record } = await makeWorld()
    const [first = '' as ChainId] = await record()
    await (await sequencer()).run()
    const leaves = world.platform.table('leaves')
    const [row] = await leaves.range(first)
    await leaves.swap(first, row?.key ?? '', row?.version ?? null, new Uint8Array([0xff]))
    await record()
    expect(await (await sequencer()).run()).toMatchObject({
      outcome: 'logged',
      skipped: [{ chain: first, code: 'STORE_CORRUPT' }],
    })
  })

  it('is not barred by the bundle of one that ended before its commit, when the same tree is reached in two steps', async () => {
    const { world, connection, sequencer, record, log } = await makeWorld()
    const chains = await record()
    const [first = '' as ChainId] = chains
    await (await sequencer()).run()
    await connection.append(first, [entry('one')])
    await connection.append(first, [entry('two')])
    const { platform, plan } = withFaults(world.platform)
    const ended = createSequencer(await select(platform, SEQUENCER_NEEDS), world.home, 2)
    plan((_, name) => (name === 'table.checkpoints.swap' ? 'not-applied' : null))
    await expect(ended.run()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const slower = await sequencer(1)
    expect(await slower.run()).toMatchObject({ outcome: 'logged', added: 1 })
    expect(await slower.run()).toMatchObject({ outcome: 'logged', added: 1 })
    expect((await log(chains)).heights[first]).toEqual([0, 1, 2, 3])
  })

  it('refuses to sign when the store shows an older tree than the one that was published', async () => {
    const { world, connection, sequencer, record } = await makeWorld()
    const checkpoints = world.platform.table('checkpoints')
    await (await sequencer()).run()
    const old = await checkpoints.get('log', 'tree')
    const [first = '' as ChainId] = await record()
    await (await sequencer()).run()
    await connection.append(first, [entry('one')])
    const newer = await checkpoints.get('log', 'tree')
    await checkpoints.swap('log', 'tree', newer?.version ?? null, old?.value ?? null)
    await expect((await sequencer()).run()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
