// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { memoryTable } from '#adapters/memory/table.ts'
import type { RecordClient } from '#core/client/client.ts'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, JSON_TYPE, observation, patient, send, type Json } from './requests.ts'

async function entered(world: BridgeWorld): Promise<Json[]> {
  const { chain } = await world.bridge.record('p1')
  const access = await world.bridge.ports.client.accessChainOf(chain)
  if (!access) throw new Error('there is no access chain')
  const view = await world.connection.read(access)
  return view.opened.map(({ content }) => JSON.parse(new TextDecoder().decode(content)) as Json)
}

async function setting() {
  const deployment = await testDeployment(['hospital-a'])
  const kept = { table: memoryTable(), key: deployment.random(32) }
  const world = testBridge(deployment, 'hospital-a', kept)
  await send(world, 'POST', '/fhir', bundle('transaction', [patient('p1'), observation('o1', 'p1')]))
  await world.flush()
  return { deployment, kept, world }
}

describe('a reading', () => {
  it('is kept before it is answered, and entered by whoever runs next', async () => {
    const { deployment, kept, world } = await setting()
    const headers = {
      ...JSON_TYPE,
      'x-ampere-user': 'dr-x',
      'x-ampere-role': 'clinician',
      'x-ampere-purpose': 'ETREAT',
    }
    await send(world, 'GET', '/fhir/Observation/o1', undefined, headers)
    // The process ends here, without a flush.
    const next = testBridge(deployment, 'hospital-a', kept)
    expect(await next.flush()).toBe(1)
    expect((await entered(next)).at(-1)).toMatchObject({
      user: 'dr-x',
      role: 'clinician',
      purpose: 'ETREAT',
      what: 'read Observation',
      resources: 2,
    })
    expect(await next.flush()).toBe(0)
  })

  it('is entered once, though two enter what waits at the same time', async () => {
    const { world } = await setting()
    const before = (await entered(world)).length
    await send(world, 'GET', '/fhir/Observation/o1')
    const counts = await Promise.all([world.flush(), world.flush()])
    expect(counts.toSorted((x, y) => x - y)).toEqual([0, 1])
    expect(await entered(world)).toHaveLength(before + 1)
  })

  it('is entered, however many before it cannot be', async () => {
    const { kept, world } = await setting()
    for (let i = 0; i < 1001; i++)
      await kept.table.insert('access', `2026-10-01T00:00:00.000Z/${String(i)}`, new Uint8Array(40))
    await send(world, 'GET', '/fhir/Observation/o1')
    await expect(world.flush()).rejects.toMatchObject({ code: 'OPEN_FAILED' })
    expect((await entered(world)).at(-1)).toMatchObject({ what: 'read Observation' })
  })

  it('is not answered when it cannot be kept', async () => {
    const { deployment, kept } = await setting()
    const full = {
      ...kept.table,
      insert: async (partition: string, key: string, value: Uint8Array) => {
        if (partition === 'access') throw new Error('no room')
        return kept.table.insert(partition, key, value)
      },
    }
    const world = testBridge(deployment, 'hospital-a', { table: full, key: kept.key })
    const answer = await send(world, 'GET', '/fhir/Observation/o1')
    expect({ status: answer.status, text: await answer.text() }).toEqual({
      status: 500,
      text: expect.not.stringContaining('Body Weight'),
    })
  })

  it('waits while its access chain cannot be reached, and is entered once', async () => {
    const { deployment, kept } = await setting()
    const down = { is: true }
    const world = testBridge(deployment, 'hospital-a', kept)
    await send(world, 'GET', '/fhir/Patient/p1')
    const { client: real } = world.bridge.ports
    const client = {
      ...real,
      append: (...args: Parameters<RecordClient['append']>) =>
        down.is ? Promise.reject(new Error('down')) : real.append(...args),
    }
    const { openBridgeStore } = await import('#core/bridge/store/open.ts')
    const store = openBridgeStore(kept.table, kept.key, client, {
      now: () => deployment.clock.now,
      random: deployment.random,
    })
    await expect(store.access.flush()).rejects.toThrow('down')
    down.is = false
    expect(await store.access.flush()).toBe(1)
    expect((await entered(world)).filter(({ what }) => what === 'read Patient')).toHaveLength(1)
  })

  it('by the schedule is entered when it opened something new, and only then', async () => {
    const { deployment, kept } = await setting()
    const restarted = testBridge(deployment, 'hospital-a', kept)
    await restarted.bridge.recheck('p1')
    await restarted.bridge.recheck('p1')
    expect(await restarted.flush()).toBe(1)
    expect((await entered(restarted)).at(-1)).toMatchObject({ user: 'bridge', what: 'consistency check' })
  })
})

describe('the bridge table', () => {
  it('holds nothing of a patient in the clear', async () => {
    const { kept, world } = await setting()
    await send(world, 'GET', '/fhir/Patient/p1')
    const partitions = ['patient', 'access', 'served', 'erased', 'indexed', 'settled']
    const { chain } = await world.bridge.record('p1')
    for (const partition of partitions) {
      for (const { key, value } of await kept.table.range(partition)) {
        const text = `${key} ${Buffer.from(value).toString('latin1')}`
        for (const secret of ['p1', 'o1', 'Observation', 'Patient', 'hospital', chain])
          expect(text).not.toContain(`${secret}"`)
        expect(text).not.toContain(chain)
      }
    }
  })
})
