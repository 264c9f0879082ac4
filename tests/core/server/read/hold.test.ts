// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { ChainId } from '#core/bytes/ids.ts'
import { signErased, mirrorStore, bridgeStore } from '#core/api/erased.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { packagesRoot } from '#core/block/packages.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { fromBase64url } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord, unshareRecord } from '#core/client/acts/share-record.ts'
import { readErasures } from '#core/client/acts/state-erased.ts'
import type { BlockKeysAnswer, HeldAnswer } from '#core/api/answers.ts'
import * as holding from '#functions/reader/hold-operations.ts'
import { ask } from '#tests/http/ask.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { entry, HOME } from '../attempts.ts'

interface Held {
  readonly world: TestDeployment
  readonly record: ChainId
  readonly access: ChainId
}

/** A record of hospital A that B reads and M holds. */
async function held(): Promise<Held> {
  const world = await testDeployment(['hospital-a', 'hospital-b', 'mirror-m'])
  const a = world.connect('hospital-a')
  const { record, access } = await createRecord(a, HOME, ['general'])
  await shareRecord(a, record, { institution: world.institution('hospital-b').id, rights: ['read'] })
  await shareRecord(a, record, { institution: world.institution('mirror-m').id, rights: ['hold'] })
  await a.append(record, [entry('one')])
  return { world, record, access }
}

async function listed({ world }: Held, name: string): Promise<HeldAnswer> {
  const { instance: signer } = world.institution(name)
  return (await (await ask(world, holding.listHeld, { signer })).json()) as HeldAnswer
}

let shared: Held
beforeAll(async () => {
  shared = await held()
})

describe('an institution that holds a chain', () => {
  it('is told which chains it may hold and how far they go, and nobody else is', async () => {
    const { record, access } = shared
    const { items, next } = await listed(shared, 'mirror-m')
    expect({ items: items.map(({ chain }) => chain).toSorted(), next }).toEqual({
      items: [record, access].toSorted(),
      next: null,
    })
    expect(items.find(({ chain }) => chain === record)?.height).toBe(4)
    expect(await listed(shared, 'hospital-b')).toEqual({ items: [], next: null })
  })

  it('is told of a chain no more once its grant is taken away', async () => {
    const at = await held()
    await unshareRecord(at.world.connect('hospital-a'), at.record, at.world.institution('mirror-m').id)
    expect(await listed(at, 'mirror-m')).toEqual({ items: [], next: null })
  })

  it('gets every package that a block brought and the label key, which no reader gets', async () => {
    const { world, record } = shared
    const read = async (name: string, height: number) => {
      const { instance: signer } = world.institution(name)
      return ask(world, holding.readBlockKeys, { path: { chain: record, height: String(height) }, signer })
    }
    const genesis = (await (await read('mirror-m', 0)).json()) as BlockKeysAnswer
    expect(genesis.packages).toEqual([])
    const { link } = await world.connect('hospital-a').replica(record)
    expect(digestOf(fromBase64url(genesis.labelKey ?? ''))).toBe(link.state.labelKeyHash)
    const first = (await (await read('mirror-m', 1)).json()) as BlockKeysAnswer
    expect(first.labelKey).toBeNull()
    const { block } = parseBlock((await world.connect('hospital-a').api.blocks(record, 1)).items[0] ?? '')
    expect(packagesRoot(first.packages)).toBe(block.type === 'control' && block.body.packages)
    expect((await read('hospital-b', 1)).status).toBe(403)
    expect((await read('mirror-m', 99)).status).toBe(404)
  })

  it('opens nothing, and may not append to the record or its access chain', async () => {
    const { world, record, access } = shared
    const m = world.connect('mirror-m')
    const view = await m.read(record)
    expect({ opened: view.opened, closed: view.closed.map(({ status }) => status) }).toEqual({
      opened: [],
      closed: ['not-granted'],
    })
    const { packages } = (await (
      await ask(world, holding.readBlockKeys, {
        path: { chain: record, height: '1' },
        signer: world.institution('mirror-m').instance,
      })
    ).json()) as BlockKeysAnswer
    expect(packages.filter((item) => item.kind === 'reader' && item.reader === 'mirror-m')).toEqual([])
    await expect(m.append(record, [entry('x')])).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const right = { code: 'VIOLATION', message: expect.stringContaining('rule right') }
    await expect(m.append(access, [entry('x')])).rejects.toMatchObject(right)
  })

  it('owes a statement of its mirror when something is erased, beside that of its bridge if it reads too', async () => {
    const { world, record } = await held()
    const a = world.connect('hospital-a')
    const { instance, second } = world.institution('hospital-a')
    const what = {
      scope: 'entries' as const,
      entries: (await a.read(record)).opened,
      ground: 'misfiled' as const,
    }
    const { block } = await requestErasure(a, record, what, { instances: [instance, second] })
    world.clock.now += 73 * 3_600_000
    const { id } = await settleErasure(a, record, block.height, 'complete')
    const owing = async () => (await readErasures(a, record))[0]?.owing
    const both = ['bridge:hospital-a', 'bridge:hospital-b']
    expect(await owing()).toEqual([...both, 'mirror:mirror-m'])
    const m = world.institution('mirror-m')
    const at = toTimestamp(world.clock.now)
    const said = (store: string) =>
      signErased({ v: 1, chain: record, block: id, store, at, backupsExpire: at }, m.instance)
    await a.api.stateErased(record, await said(mirrorStore(m.id)))
    expect(await owing()).toEqual(both)
    // It speaks for its own stores alone.
    const others = await said(mirrorStore(world.institution('hospital-b').id))
    await expect(a.api.stateErased(record, others)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await a.api.stateErased(record, await said(bridgeStore(m.id)))
    expect(await owing()).toEqual(both)
  })
})
