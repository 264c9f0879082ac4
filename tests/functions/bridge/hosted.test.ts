// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { fromUtf8, toHex, utf8 } from '#core/bytes/encoding.ts'
import type { BlockId } from '#core/bytes/ids.ts'
import { evidenceTable, MAX_EVIDENCE_FILES } from '#functions/bridge/opening/evidence.ts'
import { role } from '#functions/bridge/role.ts'
import { CHECK_MS } from '#functions/checker/alone.ts'
import { role as checker } from '#functions/checker/role.ts'
import { parseBridgeConfig } from '#functions/host/cloud/bridge-config.ts'
import { IDLE_CALLS } from '#infra/prices/idle-calls.ts'
import type { AssembledBridge } from '#functions/bridge/opening/assemble.ts'
import { bundle, observation, patient } from '#tests/core/bridge/requests.ts'
import { hostedBridge } from './hosted-bridge.ts'

const MESSAGE = utf8(bundle('transaction', [patient('p1'), observation('o1', 'p1')]))

async function entered({ bridge }: AssembledBridge): Promise<number> {
  const { chain } = await bridge.record('p1')
  const access = await bridge.ports.client.accessChainOf(chain)
  if (!access) throw new Error('there is no access chain')
  return (await bridge.ports.client.read(access)).opened.length
}

describe('a bridge in a process of its own', () => {
  it('files and reads by the ports of its role alone, and the next process goes on', async () => {
    const at = await hostedBridge()
    const first = await at.open()
    expect((await first.bridge.import(MESSAGE, 'fhir+json')).filed).toHaveLength(2)
    const next = await at.open()
    expect((await next.bridge.record('p1')).projection.resources.has('Observation/o1')).toBe(true)
    expect((await next.bridge.import(MESSAGE, 'fhir+json')).filed.map(({ outcome }) => outcome)).toEqual([
      'unchanged',
      'unchanged',
    ])
    const used = Object.keys(at.counts())
    for (const call of ['table.bridge.swap', 'key.bridge.sign', 'key.sealing.unwrap'])
      expect(used).toContain(call)
    expect(role.needs).toEqual(checker.needs)
  })

  it('notices that the home was rolled back since another process looked', async () => {
    const at = await hostedBridge()
    const first = await at.open()
    await first.bridge.import(MESSAGE, 'fhir+json')
    const { chain } = await first.bridge.record('p1')
    const { seen } = first.connection.ports
    const { height } = (await seen.load(chain)) ?? { height: -1 }
    expect(height).toBeGreaterThan(0)
    await seen.save(chain, { height: height + 1, block: 'A'.repeat(43) as BlockId })
    const next = await at.open()
    await expect(next.bridge.record('p1')).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('rolled-back'),
    })
  })

  it('opens with no secret that another deployment wrapped', async () => {
    const at = await hostedBridge()
    const stranger = openMemory({ now: at.platform.now, random: at.platform.random })
    await expect(at.open(stranger)).rejects.toMatchObject({ code: 'OPEN_FAILED' })
  })

  it('answers strangers what anybody may know, and nothing else', async () => {
    const app = await (await hostedBridge()).bridging()
    const metadata = await app.request('/fhir/metadata')
    expect({ status: metadata.status, body: await metadata.json() }).toMatchObject({
      status: 200,
      body: { resourceType: 'CapabilityStatement' },
    })
    const smart = (await (await app.request('/fhir/.well-known/smart-configuration')).json()) as object
    // What clients sign is for the address of the deployment, whatever host a request names.
    expect(smart).toMatchObject({ token_endpoint: 'https://bridge.test/oauth/token' })
    const asked: readonly [string, string][] = [
      ['GET', '/fhir/Patient/p1'],
      ['GET', '/fhir/Patient/p1/$everything'],
      ['GET', '/fhir/Observation?patient=p1'],
      ['POST', '/fhir'],
      ['POST', '/fhir/Observation'],
      ['POST', '/fhir/Observation/_search'],
      ['PUT', '/fhir/Observation/o1'],
      ['DELETE', '/fhir/Observation/o1'],
      ['HEAD', '/fhir/Patient/p1'],
    ]
    for (const [method, path] of asked) {
      const answer = await app.request(path, { method })
      expect({ method, path, status: answer.status }).toEqual({ method, path, status: 401 })
      if (method === 'GET') expect(await answer.json()).toMatchObject({ resourceType: 'OperationOutcome' })
    }
    // Who joins a record signs that, and needs no token for it.
    const headers = { 'content-type': 'application/jose' }
    const pairing = await app.request('/pairing', { method: 'POST', headers, body: 'not signed' })
    expect([400, 401]).toContain(pairing.status)
  })
})

describe('evidence of a hosted bridge', () => {
  const EVIDENCE = readFileSync(
    new URL('../../vectors/ampere/evidence/heads-links.ampere-evidence', import.meta.url),
  )

  it('is kept once for each conflict, whole when it is listed, whatever fails before', async () => {
    for (let k = 0, failed = true; failed; k++) {
      const faults = withFaults(openMemory())
      const table = faults.platform.table('bridge')
      const keep = evidenceTable(table)
      faults.plan(failAt(k, k % 2 === 0 ? 'not-applied' : 'applied-unknown'))
      failed = await keep(EVIDENCE).then(
        () => false,
        () => true,
      )
      faults.plan(() => null)
      const name = await keep(EVIDENCE)
      expect(await keep(EVIDENCE)).toBe(name)
      const listed = await table.range('evidence')
      expect(listed.map(({ key }) => key)).toEqual([name])
      const parts = await table.range(fromUtf8(listed[0]?.value ?? new Uint8Array(0)))
      expect(Buffer.concat(parts.map(({ value }) => value)).equals(EVIDENCE)).toBe(true)
    }
  })

  it('is kept up to a limit', async () => {
    const table = openMemory().table('bridge')
    for (let at = 0; at < MAX_EVIDENCE_FILES; at++)
      await table.insert('evidence', toHex(utf8(String(at))), utf8('1'))
    await expect(evidenceTable(table)(EVIDENCE)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await expect(evidenceTable(table)(utf8('{}'))).rejects.toMatchObject({ code: 'EVIDENCE_MALFORMED' })
  })
})

describe('the checker in a process of its own', () => {
  it('enters readings each time it is woken, and checks once an hour', async () => {
    const at = await hostedBridge()
    const bridge = await at.open()
    await bridge.bridge.import(MESSAGE, 'fhir+json')
    const wake = await at.checking()
    await wake('schedule')
    // The filing, and that the check opened the record.
    expect(await entered(bridge)).toBe(1)
    await wake('schedule')
    expect(await entered(bridge)).toBe(2)
    const begun = async () => (await at.platform.table('bridge').get('turn', 'check'))?.version
    const before = await begun()
    at.world.clock.now += CHECK_MS - 1
    await wake('schedule')
    expect(await begun()).toBe(before)
    at.world.clock.now += 1
    await wake('schedule')
    expect(await begun()).not.toBe(before)
    expect(await entered(bridge)).toBe(2)
  })

  it('asks as much of its table as the cost of a deployment that nobody uses says', async () => {
    const at = await hostedBridge()
    const wake = await at.checking()
    await wake('schedule')
    const before = at.counts()
    await wake('schedule')
    const more = (method: string) =>
      (at.counts()[`table.bridge.${method}`] ?? 0) - (before[`table.bridge.${method}`] ?? 0)
    expect({ get: more('get'), range: more('range'), write: more('insert') + more('swap') }).toEqual({
      get: IDLE_CALLS['checker']?.get,
      range: IDLE_CALLS['checker']?.range,
      write: 0,
    })
  })

  it('gives records new keys within five minutes of a revocation', async () => {
    const at = await hostedBridge()
    const bridge = await at.open()
    const { filed } = await bridge.bridge.import(MESSAGE, 'fhir+json')
    const chain = filed[0]?.chain
    if (!chain) throw new Error('nothing was filed')
    const wake = await at.checking()
    await wake('schedule')
    await at.world.change('hospital-a', [
      {
        act: 'revoke',
        kid: at.world.institution('hospital-a').second.kid,
        reason: 'compromised',
        suspectFrom: null,
      },
    ])
    const epoch = async () => (await bridge.connection.replica(chain)).link.state.epoch.number
    await wake('schedule')
    expect(await epoch()).toBe(1)
    at.world.clock.now += 300_000
    await wake('schedule')
    expect(await epoch()).toBe(2)
    expect(await bridge.rotation.status()).toMatchObject({ state: 'done', open: [] })
  })

  it('removes assertions that nobody would accept any more, once an hour', async () => {
    const at = await hostedBridge()
    const { usedAssertions, revokedTokens } = (await at.open()).store
    const wake = await at.checking()
    const kept = async () => {
      const table = at.platform.table('bridge')
      const pages = [await table.range('used-assertion'), await table.range('revoked-token')]
      return pages.flat().length
    }
    for (const marks of [usedAssertions, revokedTokens]) {
      await marks.mark(at.world.clock.now + 1000, 'past')
      await marks.mark(at.world.clock.now + 2 * CHECK_MS, 'later')
    }
    await wake('schedule')
    expect(await kept()).toBe(4)
    at.world.clock.now += CHECK_MS
    await wake('schedule')
    expect(await kept()).toBe(2)
  })

  it('checks though readings cannot be entered, and says so', async () => {
    const at = await hostedBridge()
    const wake = await at.checking()
    await at.platform.table('bridge').insert('access', '2026-01-01T00:00:00.000Z/x', new Uint8Array(40))
    await expect(wake('schedule')).rejects.toMatchObject({ code: 'OPEN_FAILED' })
    expect(await at.platform.table('bridge').get('turn', 'check')).not.toBeNull()
  })
})

describe('the configuration of a bridge', () => {
  it('is refused, naming what is wrong', async () => {
    const { text } = await hostedBridge()
    const given = JSON.parse(text) as { bridge: Record<string, Record<string, unknown>> }
    const { home = {}, seeds = {} } = given.bridge
    const changed = (bridge: object) => JSON.stringify({ ...given, bridge: { ...given.bridge, ...bridge } })
    const wrong: readonly [string, string][] = [
      [changed({ home: { ...home, origin: 'https://other.test' } }), 'no line for the log of the home'],
      [changed({ home: { ...home, registry: 'x' } }), 'bridge.home.registry'],
      [changed({ seeds: { ...seeds, index: '' } }), 'bridge.seeds.index'],
      [changed({ seeds: { ...seeds, sealing: 'a+b' } }), 'bridge.seeds.sealing'],
      [changed({ more: 1 }), 'bridge.more'],
      [JSON.stringify({ ...given, origin: 'https://bridge.test/fhir' }), 'origin'],
      ['{', 'it is not JSON'],
    ]
    for (const [configuration, reason] of wrong)
      expect(() => parseBridgeConfig(configuration)).toThrow(reason)
  })
})
