// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { acceptPairing, issuePairingCode, joinRecord } from '#core/bridge/file/pair.ts'
import { PAIRING_MS } from '#core/bridge/store/pairing.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, json, observation, patient, send } from './requests.ts'

async function hospitals() {
  const deployment = await testDeployment(['hospital-a', 'hospital-b', 'clinic-c'])
  const [a, b, c] = ['hospital-a', 'hospital-b', 'clinic-c'].map((name) => testBridge(deployment, name))
  if (!a || !b || !c) throw new Error('three bridges are expected')
  await send(a, 'POST', '/fhir', bundle('transaction', [patient('p1'), observation('o1', 'p1')]))
  return { deployment, a, b, c, code: await issuePairingCode(a.bridge, 'p1') }
}

const ask = async (from: BridgeWorld, to: BridgeWorld, code: string) =>
  send(to, 'POST', '/pairing', await from.bridge.ports.client.requestPairing(code), {
    'content-type': 'application/jose',
  })

describe('a pairing code', () => {
  it('lets one institution read and write the record, under the id that the patient has there', async () => {
    const { a, b, code } = await hospitals()
    const answer = await ask(b, a, code.toLowerCase().replaceAll('-', ' '))
    expect(answer.status).toBe(200)
    const { chain } = (await json(answer)) as { chain: ChainId }
    await joinRecord(b.bridge, 'mrn-7', chain)
    await send(
      b,
      'POST',
      '/fhir',
      bundle('transaction', [patient('mrn-7'), observation('o1', 'mrn-7', { note: [{ text: 'of b' }] })]),
    )
    const { projection } = await a.bridge.record('p1')
    const sources = [...projection.resources.values()].map(({ versions }) => versions[0]?.header.source)
    expect(sources.filter((source) => source === 'hospital-b')).toHaveLength(2)
  })

  it('serves another institution never again, and the same one when its answer was lost', async () => {
    const { a, b, c, code } = await hospitals()
    const first = await json(ask(b, a, code))
    expect(await json(ask(b, a, code))).toEqual(first)
    expect((await ask(c, a, code)).status).toBe(404)
    expect((await ask(c, a, '0000-0000-0000')).status).toBe(404)
  })

  it('serves one of two institutions that use it at once', async () => {
    const { a, b, c, code } = await hospitals()
    const answers = await Promise.all([ask(b, a, code), ask(c, a, code)])
    expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 404])
  })

  it('expires after a day', async () => {
    const { deployment, a, b, code } = await hospitals()
    deployment.clock.now += PAIRING_MS + 1
    expect((await ask(b, a, code)).status).toBe(404)
  })

  it('is refused from a key that is not active, for another registry, and when it was signed long ago', async () => {
    const { deployment, a, b, code } = await hospitals()
    const old = await b.bridge.ports.client.requestPairing(code)
    deployment.clock.now += 10 * 60_000
    await expect(acceptPairing(a.bridge, old)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    const { kid } = deployment.institution('hospital-b').instance
    await deployment.change('hospital-b', [{ act: 'revoke', kid, reason: 'retired', suspectFrom: null }])
    const revoked = await b.bridge.ports.client.requestPairing(code)
    await expect(acceptPairing(a.bridge, revoked)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await expect(acceptPairing(a.bridge, 'x.y.z')).rejects.toMatchObject({ code: 'JWS_MALFORMED' })
  })

  it('never joins a patient who has another record there', async () => {
    const { a, b, code } = await hospitals()
    await send(b, 'POST', '/fhir', bundle('transaction', [patient('mrn-7')]))
    const { chain } = (await json(ask(b, a, code))) as { chain: ChainId }
    await expect(joinRecord(b.bridge, 'mrn-7', chain)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })

  it('that is used again joins no second patient to the record, and the same one once more', async () => {
    const { a, b, code } = await hospitals()
    const { chain } = (await json(ask(b, a, code))) as { chain: ChainId }
    await joinRecord(b.bridge, 'mrn-7', chain)
    await joinRecord(b.bridge, 'mrn-7', chain)
    await expect(joinRecord(b.bridge, 'mrn-8', chain)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect((await b.bridge.ports.store.patients.list()).map(({ id }) => id)).toEqual(['mrn-7'])
  })
})

describe('without a code', () => {
  it('the same person at two institutions is two records', async () => {
    const { a, b } = await hospitals()
    await send(b, 'POST', '/fhir', bundle('transaction', [patient('p1')]))
    expect((await a.bridge.record('p1')).chain).not.toBe((await b.bridge.record('p1')).chain)
  })
})

describe('references', () => {
  it('of two institutions that use the same ids lead to their own resources', async () => {
    const { a, b, code } = await hospitals()
    const { chain } = (await json(ask(b, a, code))) as { chain: ChainId }
    await joinRecord(b.bridge, 'p1', chain)
    const encounter = {
      resourceType: 'Encounter',
      id: 'e1',
      status: 'finished',
      class: { code: 'AMB' },
      subject: { reference: 'Patient/p1' },
    }
    const withEncounter = (id: string) => observation(id, 'p1', { encounter: { reference: 'Encounter/e1' } })
    await send(a, 'POST', '/fhir', bundle('transaction', [patient('p1'), encounter, withEncounter('oa')]))
    await send(b, 'POST', '/fhir', bundle('transaction', [patient('p1'), encounter, withEncounter('ob')]))
    const atA = await json(send(a, 'GET', '/fhir/Observation/oa'))
    await a.bridge.record('p1')
    const ofB = (await json(send(a, 'GET', '/fhir/Observation/ob'))) as {
      encounter: { reference: string }
      subject: { reference: string }
    }
    expect(atA).toMatchObject({ encounter: { reference: 'Encounter/e1' } })
    expect(ofB.encounter.reference).toMatch(/^Encounter\/[A-Za-z0-9]+\.e1$/)
    expect((await send(a, 'GET', `/fhir/${ofB.encounter.reference}`)).status).toBe(200)
    expect((await send(a, 'GET', `/fhir/${ofB.subject.reference}`)).status).toBe(200)
  })
})
