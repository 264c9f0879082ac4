// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { memoryTable } from '#adapters/memory/table.ts'
import { appendEntries } from '#core/client/append-entries.ts'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, JSON_TYPE, observation, patient, send } from './requests.ts'

const post = async (to: BridgeWorld, body: string) => send(to, 'POST', '/fhir', body)
const MESSAGE = bundle('transaction', [patient('p1'), observation('o1', 'p1')])

/** Two processes of one institution's bridge: one table, one key, one app instance, nothing else in common. */
async function hospital() {
  const deployment = await testDeployment(['hospital-a'])
  const kept = { table: memoryTable(), key: deployment.random(32) }
  const open = () => testBridge(deployment, 'hospital-a', kept)
  return { deployment, kept, a: open(), b: open(), open }
}

async function versionsOf(world: BridgeWorld, name: string) {
  return (await world.bridge.record('p1')).projection.resources.get(name)?.versions
}

async function entered(world: BridgeWorld): Promise<readonly string[]> {
  const { chain } = await world.bridge.record('p1')
  const access = await world.bridge.ports.client.accessChainOf(chain)
  if (!access) throw new Error('there is no access chain')
  const { opened } = await world.connection.read(access)
  return opened.map(({ content }) => (JSON.parse(new TextDecoder().decode(content)) as { id: string }).id)
}

describe('two processes of one bridge', () => {
  it('file one message once, though both get it at once', async () => {
    const { a, b, open } = await hospital()
    await post(a, bundle('transaction', [patient('p1')]))
    const answers = await Promise.all([a, b, a, b].map((to) => post(to, MESSAGE)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const fresh = open()
    expect(await versionsOf(fresh, 'Observation/o1')).toHaveLength(1)
    const { findings } = (await fresh.bridge.record('p1')).projection
    expect(findings.length).toBe(new Set(findings.map(({ id }) => id)).size)
  })

  it('lose nothing of what they get at once', async () => {
    const { a, b, open } = await hospital()
    await post(a, bundle('transaction', [patient('p1')]))
    const names = Array.from({ length: 8 }, (_, at) => `o${at}`)
    const answers = await Promise.all(
      names.map((name, at) => post(at % 2 === 0 ? a : b, bundle('transaction', [observation(name, 'p1')]))),
    )
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200))
    const fresh = open()
    for (const name of names) expect(await versionsOf(fresh, `Observation/${name}`)).toHaveLength(1)
  })

  it('make one record of a patient whom neither knew', async () => {
    const { a, b, open } = await hospital()
    const answers = await Promise.all([a, b].map((to) => post(to, MESSAGE)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    const fresh = open()
    expect(await fresh.bridge.ports.store.patients.list()).toHaveLength(1)
    expect(await versionsOf(fresh, 'Observation/o1')).toHaveLength(1)
  })

  it('let one of two updates of the same version through', async () => {
    const { a, b } = await hospital()
    await post(a, MESSAGE)
    const etag = (await send(b, 'GET', '/fhir/Observation/o1')).headers.get('etag') ?? ''
    const put = (to: BridgeWorld, text: string) =>
      send(to, 'PUT', '/fhir/Observation/o1', JSON.stringify(observation('o1', 'p1', { note: [{ text }] })), {
        ...JSON_TYPE,
        'if-match': etag,
      })
    const answers = await Promise.all([put(a, 'one'), put(b, 'two')])
    expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 412])
    expect(await versionsOf(a, 'Observation/o1')).toHaveLength(2)
  })

  it('delete once', async () => {
    const { a, b } = await hospital()
    await post(a, MESSAGE)
    await b.bridge.record('p1')
    const answers = await Promise.all([a, b].map(async (to) => send(to, 'DELETE', '/fhir/Observation/o1')))
    expect(answers.map(({ status }) => status)).toEqual([204, 204])
    expect(await versionsOf(a, 'Observation/o1')).toHaveLength(2)
  })

  it('wait for a batch of several blocks that the other is in the middle of, and take it for dead after a minute', async () => {
    const { deployment, a, b } = await hospital()
    await post(a, bundle('transaction', [patient('p1')]))
    const { chain, projection } = await a.bridge.record('p1')
    const [kept] = projection.view.opened
    if (!kept) throw new Error('nothing was filed')
    // One block of two: what the other process has appended so far.
    let sent = 0
    const { connection } = a
    const ids = new Map(
      [...(await connection.keyring(await connection.replica(chain))).names].map(([id, name]) => [name, id]),
    )
    const half = appendEntries(
      {
        ports: connection.ports,
        began: () => {},
        refresh: () => connection.replica(chain),
        compartmentIds: (name) => ids.get(name) ?? null,
        submit: async (append) => {
          if (++sent > 1) throw new Error('the process ended')
          return connection.submit(append)
        },
      },
      await connection.replica(chain),
      Array.from({ length: 257 }, () => ({ ...kept, compartment: kept.compartmentName })),
    )
    await expect(half).rejects.toThrow('the process ended')
    expect((await post(b, MESSAGE)).status).toBe(503)
    deployment.clock.now += 60_000
    expect((await post(b, MESSAGE)).status).toBe(200)
    expect(await versionsOf(b, 'Observation/o1')).toHaveLength(1)
  })

  it('enter a reading once, though both enter what waits', async () => {
    const { a, b } = await hospital()
    await post(a, MESSAGE)
    await send(b, 'GET', '/fhir/Observation/o1')
    await Promise.all([a.flush(), b.flush(), a.flush(), b.flush()])
    const ids = await entered(a)
    expect(ids).toHaveLength(2)
    expect(new Set(ids).size).toBe(2)
  })

  it('leave entering to whoever has the turn, and take it over from one that died', async () => {
    const { deployment, kept, a } = await hospital()
    await post(a, MESSAGE)
    const until = new TextEncoder().encode(String(deployment.clock.now + 120_000))
    await kept.table.swap('turn', 'access', null, until)
    expect(await a.flush()).toBe(0)
    deployment.clock.now += 120_000
    expect(await a.flush()).toBe(1)
    expect(await kept.table.get('turn', 'access')).toBeNull()
  })
})
