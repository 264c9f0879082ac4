// SPDX-License-Identifier: Apache-2.0
import { MAX_OBJECT_BYTES } from '#core/block/block.ts'
import { describe, expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, asInstitutionId, type ChainId } from '#core/bytes/ids.ts'
import { signJws } from '#core/block/jws.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { loadBlock, rowKey } from '#core/server/store/rows.ts'
import { makeSigner, memorySeen, ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

async function recordWithEntry(world: TestDeployment) {
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  return { a, record }
}

async function storedBlock(world: TestDeployment, chain: ChainId, height: number) {
  const found = await loadBlock(world.platform.table('blocks'), chain, height)
  if (!found) throw new Error(`no block ${height}`)
  return found
}

describe('a store that lies', () => {
  const damage = async (
    world: TestDeployment,
    table: 'wraps' | 'states' | 'blocks',
    partition: string,
    key: string,
    change: (text: string) => string,
  ) => {
    const store = world.platform.table(table)
    const row = await store.get(partition, key)
    if (!row) throw new Error('no such row')
    await store.swap(partition, key, row.version, utf8(change(fromUtf8(row.value))))
  }

  it('is seen through: a changed key row is tampered, a removed one missing', async () => {
    const world = await testDeployment()
    const { record } = await recordWithEntry(world)
    const { block } = await storedBlock(world, record, 2)
    if (!block.entries) throw new Error('entries are expected')
    const key = rowKey(block.entries)
    await damage(world, 'wraps', record, key, (text) =>
      text.replace(/"wrapped":"(.)/, (_, first: string) => `"wrapped":"${first === 'A' ? 'B' : 'A'}`),
    )
    expect((await world.connect('hospital-a').read(record)).closed.map((item) => item.status)).toEqual([
      'tampered',
    ])
    const row = await world.platform.table('wraps').get(record, key)
    await world.platform.table('wraps').swap(record, key, row?.version ?? null, null)
    expect((await world.connect('hospital-a').read(record)).closed.map((item) => item.status)).toEqual([
      'missing',
    ])
  })

  it('cannot change a block, drop one, or show an older record to who saw a newer one', async () => {
    const world = await testDeployment()
    const { a, record } = await recordWithEntry(world)
    const seen = memorySeen()
    await world.connect('hospital-a', { seen }).read(record)
    await a.append(record, [entry('two')])
    await world.connect('hospital-a', { seen }).read(record)
    const blocks = world.platform.table('blocks')
    const rows = await blocks.range(record)
    const last = rows.at(-1)
    await blocks.swap(record, last?.key ?? '', last?.version ?? null, null)
    await expect(world.connect('hospital-a', { seen }).read(record)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('rolled-back'),
    })
    await damage(
      world,
      'blocks',
      record,
      rows[2]?.key ?? '',
      (text) => `${text.slice(0, 300)}${text[300] === 'A' ? 'B' : 'A'}${text.slice(301)}`,
    )
    await expect(world.connect('hospital-a').read(record)).rejects.toMatchObject({
      code: expect.stringMatching(/VERIFICATION_FAILED|MALFORMED|STORE_CORRUPT/),
    })
  })

  it('is not believed about its newest block once the key that says so is revoked', async () => {
    const world = await testDeployment()
    const { record } = await recordWithEntry(world)
    await expect(world.connect('hospital-a').read(record)).resolves.toBeDefined()
    const { kid } = await world.platform.signer('head')
    await world.change('hospital-a', [{ act: 'revoke', kid, reason: 'compromised', suspectFrom: null }])
    await expect(world.connect('hospital-a').read(record)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('head'),
    })
  })

  it('cannot bring back what was erased by restoring the key row, nor by replaying the append', async () => {
    const world = await testDeployment()
    const { a, record } = await recordWithEntry(world)
    const { block } = await storedBlock(world, record, 2)
    if (!block.entries) throw new Error('entries are expected')
    const wraps = world.platform.table('wraps')
    const before = await wraps.get(record, rowKey(block.entries))
    const object = await a.api.object(record, block.entries.root, MAX_OBJECT_BYTES)
    const view = await a.read(record)
    const { requestErasure, settleErasure } = await import('#core/client/acts/erase-entries.ts')
    const { instance, second } = world.institution('hospital-a')
    const request = await requestErasure(
      a,
      record,
      { scope: 'entries', entries: view.opened, ground: 'misfiled' },
      { instances: [instance, second] },
    )
    world.clock.now += 73 * 3_600_000
    await settleErasure(a, record, request.block.height, 'complete')
    const stored = await storedBlock(world, record, 2)
    await a.api.append({
      block: stored.compact,
      row: fromUtf8(before?.value ?? new Uint8Array(0)),
      packages: [],
      labelKey: null,
      object,
    })
    expect(await a.api.object(record, block.entries.root, MAX_OBJECT_BYTES)).toBeNull()
    const after = await wraps.get(record, rowKey(block.entries))
    await wraps.swap(record, rowKey(block.entries), after?.version ?? null, before?.value ?? null)
    expect((await world.connect('hospital-a').read(record)).closed.map((item) => item.status)).toEqual([
      'erased',
    ])
  })
})

describe('a hold', () => {
  it('stops erasing until it is taken away', async () => {
    const world = await testDeployment()
    const { a, record } = await recordWithEntry(world)
    await changeChain(a, record, { hold: true })
    const { requestErasure } = await import('#core/client/acts/erase-entries.ts')
    const { instance, second } = world.institution('hospital-a')
    const view = await a.read(record)
    const ask = () =>
      requestErasure(
        a,
        record,
        { scope: 'entries', entries: view.opened, ground: 'misfiled' },
        { instances: [instance, second] },
      )
    await expect(ask()).rejects.toMatchObject({ code: 'VIOLATION', message: expect.stringContaining('hold') })
    await changeChain(a, record, { hold: false })
    await expect(ask()).resolves.toBeDefined()
  })

  it('needs two instances of an institution for an erasure, not one', async () => {
    const world = await testDeployment()
    const { a, record } = await recordWithEntry(world)
    const { requestErasure } = await import('#core/client/acts/erase-entries.ts')
    const view = await a.read(record)
    const one = requestErasure(
      a,
      record,
      { scope: 'entries', entries: view.opened, ground: 'misfiled' },
      { instances: [world.institution('hospital-a').instance] },
    )
    await expect(one).rejects.toMatchObject({ message: expect.stringContaining('threshold') })
  })

  it('refuses the reserved block type by name', async () => {
    const signer = await makeSigner((await testDeployment()).random)
    const text = await signJws('ampere-block+jws', { type: 'emergency' }, signer)
    expect(() => parseBlock(text)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
    expect(asInstitutionId('a')).toBe('a')
  })
})
