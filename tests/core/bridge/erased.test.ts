// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { memoryTable } from '#adapters/memory/table.ts'
import { requestErasure, settleErasure, type Erasure } from '#core/client/acts/erase-entries.ts'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { bundle, bundleOf, observation, patient, send } from './requests.ts'

const MESSAGE = bundle('transaction', [patient('p1'), observation('o1', 'p1'), observation('o2', 'p1')])

interface Setting {
  readonly deployment: TestDeployment
  readonly world: BridgeWorld
  /** The same bridge after a restart: nothing in memory, its table as it was. */
  readonly restarted: () => BridgeWorld
}

async function setting(): Promise<Setting> {
  const deployment = await testDeployment(['hospital-a'])
  const kept = { table: memoryTable(), key: deployment.random(32) }
  const world = testBridge(deployment, 'hospital-a', kept)
  expect((await send(world, 'POST', '/fhir', MESSAGE)).status).toBe(200)
  return { deployment, world, restarted: () => testBridge(deployment, 'hospital-a', kept) }
}

async function erase(
  { deployment, world }: Setting,
  choose: (name: string) => boolean,
  scope: Erasure['scope'] = 'entries',
) {
  const { chain, projection } = await world.bridge.record('p1')
  const entries = [...projection.resources].flatMap(([name, { versions }]) =>
    choose(name) ? versions.slice(-1).map(({ entry }) => entry) : [],
  )
  const { instance, second } = deployment.institution('hospital-a')
  const wanted = { scope, entries: scope === 'record' ? [] : entries, ground: 'misfiled' as const }
  const request = await requestErasure(world.connection, chain, wanted, { instances: [instance, second] })
  deployment.clock.now += 73 * 3_600_000
  await settleErasure(world.connection, chain, request.block.height, 'complete')
}

describe('what was erased', () => {
  it('does not come back when the message is sent again, nor by an update, nor after a restart', async () => {
    const setup = await setting()
    await erase(setup, (name) => name === 'Observation/o1')
    for (const world of [setup.world, setup.restarted()]) {
      const again = await bundleOf(send(world, 'POST', '/fhir', MESSAGE))
      expect(again.entry.map(({ response }) => response?.status)).toEqual(['200 OK', '410 Gone', '200 OK'])
      const other = JSON.stringify(observation('o1', 'p1', { note: [{ text: 'other words' }] }))
      expect((await send(world, 'PUT', '/fhir/Observation/o1', other)).status).toBe(410)
      expect((await send(world, 'GET', '/fhir/Observation/o1')).status).toBe(404)
      expect((await send(world, 'GET', '/fhir/Observation/o2')).status).toBe(200)
    }
  })

  it('is forgotten by a bridge that was not running when it was erased', async () => {
    const setup = await setting()
    await setup.world.bridge.record('p1')
    await erase(setup, (name) => name === 'Observation/o1')
    const again = await bundleOf(send(setup.restarted(), 'POST', '/fhir', MESSAGE))
    expect(again.entry[1]?.response?.status).toBe('410 Gone')
  })

  it('is one version only, where others of the resource stand', async () => {
    const setup = await setting()
    const { world } = setup
    const newer = JSON.stringify(observation('o1', 'p1', { note: [{ text: 'newer' }] }))
    await send(world, 'PUT', '/fhir/Observation/o1', newer)
    await erase(setup, (name) => name === 'Observation/o1')
    const old = await send(world, 'PUT', '/fhir/Observation/o1', JSON.stringify(observation('o1', 'p1')))
    expect(old.status).toBe(410)
    const third = JSON.stringify(observation('o1', 'p1', { note: [{ text: 'third' }] }))
    expect((await send(world, 'PUT', '/fhir/Observation/o1', third)).status).toBe(200)
  })

  it('is everything after the whole record was erased, and nothing can follow', async () => {
    const setup = await setting()
    await erase(setup, () => true, 'record')
    for (const world of [setup.world, setup.restarted()]) {
      const again = await bundleOf(send(world, 'POST', '/fhir', MESSAGE))
      expect(new Set(again.entry.map(({ response }) => response?.status))).toEqual(new Set(['410 Gone']))
      expect((await send(world, 'GET', '/fhir/Patient/p1')).status).toBe(404)
    }
  })
})
