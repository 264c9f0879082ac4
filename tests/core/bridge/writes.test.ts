// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, bundleOf, JSON_TYPE, json, observation, patient, send, type Json } from './requests.ts'

async function withPatient(): Promise<BridgeWorld> {
  const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
  expect((await send(world, 'PUT', '/fhir/Patient/p1', JSON.stringify(patient('p1')))).status).toBe(201)
  return world
}

const entry = (method: string, url: string, resource?: Json, more: Json = {}) => ({
  ...(resource ? { resource } : {}),
  request: { method, url },
  ...more,
})
const message = (type: string, entries: readonly Json[]) =>
  JSON.stringify({ resourceType: 'Bundle', type, entry: entries })

describe('a create', () => {
  it('assigns the id, whatever the text says, and keeps the text to the byte', async () => {
    const world = await withPatient()
    const text = JSON.stringify(observation('mine', 'p1')).replace('"value":70', '"value":70.00')
    const answer = await send(world, 'POST', '/fhir/Observation', text)
    expect(answer.status).toBe(201)
    const location = answer.headers.get('location') ?? ''
    const [, id = ''] = /Observation\/([0-9a-f]{32})\/_history\/\d+\.\d+$/.exec(location) ?? []
    expect(await json(send(world, 'GET', `/fhir/Observation/${id}`))).toMatchObject({ id })
    const original = await send(world, 'GET', `/fhir/Observation/${id}?_original=true`)
    expect(await original.text()).toBe(text)
    expect((await send(world, 'GET', '/fhir/Observation/mine')).status).toBe(404)
  })

  it('refuses duplicate keys and conditions that it would have to ignore', async () => {
    const world = await withPatient()
    const twice = JSON.stringify(observation('x', 'p1')).replace('{', '{"status":"final",')
    expect((await send(world, 'POST', '/fhir/Observation', twice)).status).toBe(400)
    const headers = { ...JSON_TYPE, 'if-none-exist': 'identifier=a|b' }
    const body = JSON.stringify(observation('x', 'p1'))
    expect((await send(world, 'POST', '/fhir/Observation', body, headers)).status).toBe(501)
  })
})

describe('an update', () => {
  it('is done only on the version that the client has seen, when it says which', async () => {
    const world = await withPatient()
    const put = (value: number, ifMatch?: string) =>
      send(
        world,
        'PUT',
        '/fhir/Observation/o1',
        JSON.stringify(observation('o1', 'p1', { valueQuantity: { value, code: 'kg' } })),
        { ...JSON_TYPE, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
      )
    const first = (await put(70)).headers.get('etag') ?? ''
    const second = await put(71, first)
    expect(second.status).toBe(200)
    expect((await put(72, first)).status).toBe(412)
    expect((await put(72, 'anything')).status).toBe(400)
    expect((await put(72, second.headers.get('etag') ?? '')).status).toBe(200)
  })

  it('may set a resource back to an older state, and is not repeated when it is sent again', async () => {
    const world = await withPatient()
    const put = async (value: number) => {
      const body = JSON.stringify(observation('o1', 'p1', { valueQuantity: { value, code: 'kg' } }))
      return (await send(world, 'PUT', '/fhir/Observation/o1', body)).headers.get('etag')
    }
    await put(70)
    await put(71)
    const third = await put(70)
    expect(await put(70)).toBe(third)
    expect(await json(send(world, 'GET', '/fhir/Observation/o1'))).toMatchObject({
      valueQuantity: { value: 70 },
    })
    expect((await bundleOf(send(world, 'GET', '/fhir/Observation/o1/_history'))).entry).toHaveLength(3)
  })
})

describe('a transaction or batch', () => {
  it('is answered entry by entry with place, version and outcome', async () => {
    const world = await withPatient()
    const batch = message('batch', [
      entry('PUT', 'Observation/o1', observation('o1', 'p1')),
      entry('DELETE', 'Observation/o1'),
      entry('GET', 'Patient/p1'),
      entry('PUT', 'Observation/other', observation('o2', 'p1')),
      entry('POST', 'Observation', observation('o3', 'p1', { status: 'bogus' })),
      entry('PUT', 'Observation?code=x', observation('o4', 'p1')),
      entry('POST', 'Observation', observation('o5', 'p1'), {
        request: { method: 'POST', url: 'Observation', ifNoneExist: 'code=x' },
      }),
      entry('PUT', 'Observation/o1', observation('o1', 'p1', { note: [{ text: 'again' }] })),
    ])
    const answer = await bundleOf(send(world, 'POST', '/fhir', batch))
    expect(answer.entry.map(({ response }) => response?.status.slice(0, 3))).toEqual([
      '201',
      '501',
      '501',
      '422',
      '422',
      '501',
      '501',
      '422',
    ])
    expect(answer.entry[0]?.response).toMatchObject({
      location: expect.stringMatching(/^Observation\/o1\/_history\/\d+\.\d+$/),
      etag: expect.stringMatching(/^W\/"\d+\.\d+"$/),
    })
    expect(
      answer.entry
        .slice(1)
        .every(({ response }) => response?.outcome?.['resourceType'] === 'OperationOutcome'),
    ).toBe(true)
  })

  it.each([
    ['a method that is not carried out', [entry('DELETE', 'Observation/o1')], 501],
    ['an entry that asks for nothing', [{ resource: observation('o1', 'p1') }], 422],
    [
      'one resource twice',
      [
        entry('PUT', 'Observation/o1', observation('o1', 'p1')),
        entry('PUT', 'Observation/o1', observation('o1', 'p1', { note: [{ text: 'x' }] })),
      ],
      422,
    ],
    [
      'a URL that is not that of its resource',
      [entry('PUT', 'Observation/o2', observation('o1', 'p1'))],
      422,
    ],
  ])('files nothing of a transaction with %s', async (_, entries, status) => {
    const world = await withPatient()
    const good = entry('PUT', 'Observation/good', observation('good', 'p1'))
    const answer = await send(world, 'POST', '/fhir', message('transaction', [good, ...entries]))
    expect(answer.status).toBe(status)
    expect(await json(answer)).toMatchObject({ resourceType: 'OperationOutcome' })
    expect((await send(world, 'GET', '/fhir/Observation/good')).status).toBe(404)
  })

  it('resolves what the entries call each other, and files nothing twice when it is sent again', async () => {
    const world = await withPatient()
    const uuid = 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'
    const encounter = {
      resourceType: 'Encounter',
      status: 'finished',
      class: { code: 'AMB' },
      subject: { reference: 'Patient/p1' },
    }
    const text = message('transaction', [
      entry('POST', 'Encounter', encounter, { fullUrl: uuid }),
      entry('POST', 'Observation', observation('own-id', 'p1', { encounter: { reference: uuid } }), {
        fullUrl: 'urn:uuid:88f151c0-a954-468a-88bd-5ae15c08e059',
      }),
    ])
    const first = await bundleOf(send(world, 'POST', '/fhir', text))
    expect(first.entry.map(({ response }) => response?.status)).toEqual(['201 Created', '201 Created'])
    expect(
      await json(send(world, 'GET', '/fhir/Observation/88f151c0-a954-468a-88bd-5ae15c08e059')),
    ).toMatchObject({
      encounter: { reference: `Encounter/${uuid.slice(9)}` },
    })
    const again = await bundleOf(send(world, 'POST', '/fhir', text))
    expect(again.entry.map(({ response }) => response?.status)).toEqual(['200 OK', '200 OK'])
    expect(again.entry.map(({ response }) => response?.etag)).toEqual(
      first.entry.map(({ response }) => response?.etag),
    )
  })
})

describe('versions', () => {
  it('keep their ids when an older one comes late', async () => {
    const world = await withPatient()
    const put = (day: number) => {
      const meta = { lastUpdated: `2026-01-0${day}T00:00:00Z` }
      return send(world, 'PUT', '/fhir/Observation/o1', JSON.stringify(observation('o1', 'p1', { meta })))
    }
    const newer = (await put(2)).headers.get('location') ?? ''
    const late = (await put(1)).headers.get('location') ?? ''
    const path = (location: string) => location.replace(/^.*\/fhir/, '/fhir')
    expect(await json(send(world, 'GET', path(newer)))).toMatchObject({
      meta: { lastUpdated: '2026-01-02T00:00:00.000Z' },
    })
    expect(await json(send(world, 'GET', path(late)))).toMatchObject({
      meta: { lastUpdated: '2026-01-01T00:00:00.000Z' },
    })
    const current = await send(world, 'GET', '/fhir/Observation/o1')
    expect(newer.endsWith((current.headers.get('etag') ?? '').slice(3, -1))).toBe(true)
  })
})

describe('a deletion', () => {
  it('stays in the compartment of what it deletes, and may be repeated', async () => {
    const world = await withPatient()
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'MH' }]
    await send(
      world,
      'PUT',
      '/fhir/Observation/o1',
      JSON.stringify(observation('o1', 'p1', { meta: { security } })),
    )
    const placed = async () => {
      const { projection } = await world.bridge.record('p1')
      return projection.resources
        .get('Observation/o1')
        ?.versions.map(({ entry: { compartmentName } }) => compartmentName)
    }
    expect(await placed()).toEqual(['mental-health'])
    expect((await send(world, 'DELETE', '/fhir/Observation/o1')).status).toBe(204)
    expect((await send(world, 'DELETE', '/fhir/Observation/o1')).status).toBe(204)
    expect(await placed()).toEqual(['mental-health', 'mental-health'])
  })
})

describe('bundles that only hold data', () => {
  it('are filed from a file, and refused over HTTP', async () => {
    const world = await withPatient()
    const text = bundle('collection', [patient('p1'), observation('o1', 'p1')])
    expect((await send(world, 'POST', '/fhir', text)).status).toBe(422)
    expect(
      (await world.bridge.import(Buffer.from(text), 'fhir+json')).filed.map(({ outcome }) => outcome),
    ).toEqual(['unchanged', 'created'])
  })
})
