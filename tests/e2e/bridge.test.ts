// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { testBridge } from '#tests/bridge-world.ts'
import {
  bundle,
  JSON_TYPE,
  observation,
  patient,
  send,
  type BundleJson,
  type Json,
} from '#tests/core/bridge/requests.ts'
import { testDeployment } from '#tests/deployment.ts'

describe('the FHIR endpoint', () => {
  const setUp = async () => {
    const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
    const answer = await send(
      world,
      'POST',
      '/fhir',
      bundle('transaction', [
        patient('p1'),
        observation('o1', 'p1'),
        observation('o2', 'p1', {
          effectiveDateTime: '2021-01-01',
          code: { coding: [{ system: 'http://loinc.org', code: '8302-2' }] },
          valueQuantity: { value: 170, code: 'cm' },
        }),
      ]),
    )
    expect(answer.status).toBe(200)
    return world
  }

  it('answers a transaction entry by entry, reads, and searches what it says it searches', async () => {
    const world = await setUp()
    expect(await (await send(world, 'GET', '/fhir/Observation/o1')).json()).toMatchObject({
      id: 'o1',
      meta: { versionId: '2.1' },
    })
    const count = async (query: string) =>
      ((await (await send(world, 'GET', `/fhir/Observation?patient=p1&${query}`)).json()) as BundleJson).entry
        .length
    expect(await count('code=http://loinc.org|29463-7')).toBe(1)
    expect(await count('code=8302-2,29463-7')).toBe(2)
    expect(await count('date=2020')).toBe(1)
    expect(await count('date=ge2021-01-01')).toBe(1)
    expect(await count('date=lt2020-05-01')).toBe(0)
    expect(await count('status=final')).toBe(2)
    expect((await send(world, 'GET', '/fhir/Observation?patient=p1&value-quantity=5')).status).toBe(501)
    expect((await send(world, 'GET', '/fhir/Observation')).status).toBe(501)
    expect((await send(world, 'GET', '/fhir/Observation?patient=nobody')).status).toBe(404)
  })

  it('pages by link.next until everything was given once', async () => {
    const world = await setUp()
    const ids: string[] = []
    let path: string | undefined = '/fhir/Patient/p1/$everything?_count=2'
    while (path !== undefined) {
      const page = (await (await send(world, 'GET', path)).json()) as BundleJson
      ids.push(...page.entry.map((item) => item.resource.id))
      path = page.link.find((link) => link.relation === 'next')?.url.replace(/^http:\/\/[^/]+/, '')
    }
    expect(ids.toSorted()).toEqual(['o1', 'o2', 'p1'])
  })

  it('keeps versions, serves them by number, and says where each came from', async () => {
    const world = await setUp()
    const updated = JSON.stringify(observation('o1', 'p1', { valueQuantity: { value: 71, code: 'kg' } }))
    expect((await send(world, 'PUT', '/fhir/Observation/o1', updated)).status).toBe(200)
    expect(await (await send(world, 'GET', '/fhir/Observation/o1')).json()).toMatchObject({
      valueQuantity: { value: 71 },
      meta: { versionId: '3.0' },
    })
    expect(await (await send(world, 'GET', '/fhir/Observation/o1/_history/2.1')).json()).toMatchObject({
      valueQuantity: { value: 70 },
    })
    expect(
      ((await (await send(world, 'GET', '/fhir/Observation/o1/_history')).json()) as BundleJson).entry,
    ).toHaveLength(2)
    const provenance = (await (
      await send(world, 'GET', '/fhir/Provenance?target=Observation/o1')
    ).json()) as BundleJson
    expect(JSON.stringify(provenance)).toMatch(/urn:ampere:block.*urn:ampere:chain/)
    expect((await send(world, 'DELETE', '/fhir/Observation/o1')).status).toBe(204)
    expect((await send(world, 'GET', '/fhir/Observation/o1')).status).toBe(410)
    expect((await send(world, 'GET', '/fhir/Observation/none')).status).toBe(404)
  })

  it('enters every reading in the access chain', async () => {
    const world = await setUp()
    await send(world, 'GET', '/fhir/Patient/p1/$everything')
    expect(await world.flush()).toBeGreaterThan(0)
    const { chain } = await world.bridge.record('p1')
    const access = await world.bridge.ports.client.accessChainOf(chain)
    if (!access) throw new Error('there is no access chain')
    const view = await world.connection.read(access)
    expect(view.opened.map((item) => new TextDecoder().decode(item.content)).join()).toContain(
      'Patient/$everything',
    )
  })

  it('files all of a transaction or nothing, and of a batch what is right', async () => {
    const world = await setUp()
    const bad = observation('bad', 'p1', { status: 'bogus' })
    const refused = await send(
      world,
      'POST',
      '/fhir',
      bundle('transaction', [patient('p1'), observation('o3', 'p1'), bad]),
    )
    expect(refused.status).toBe(422)
    expect(await refused.json()).toMatchObject({ resourceType: 'OperationOutcome' })
    expect((await send(world, 'GET', '/fhir/Observation/o3?patient=p1')).status).toBe(404)
    const partly = (await (
      await send(world, 'POST', '/fhir', bundle('batch', [patient('p1'), observation('o3', 'p1'), bad]))
    ).json()) as BundleJson
    expect(partly.entry.map((item) => item.response?.status.slice(0, 3))).toEqual(['200', '201', '422'])
    expect((await send(world, 'GET', '/fhir/Observation/o3?patient=p1')).status).toBe(200)
  })

  it.each([
    ['not JSON', 'x', 400],
    ['a truncated text', '{"resourceType":"Bundle"', 400],
    ['duplicate keys', '{"resourceType":"Bundle","type":"batch","type":"batch"}', 400],
    ['a nesting bomb', '['.repeat(5000), 400],
    ['an integer beyond 2^53-1', '{"resourceType":"Bundle","type":"batch","total":9007199254740993}', 400],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 400],
    [
      'a bundle with more than 100,000 entries',
      `{"resourceType":"Bundle","type":"batch","entry":[${'{},'.repeat(100_000)}{}]}`,
      413,
    ],
    [
      'a bundle without a patient',
      bundle('transaction', [{ ...observation('o8', 'p8'), subject: undefined }]),
      422,
    ],
    ['a bundle with two patients', bundle('transaction', [patient('p8'), patient('p9')]), 422],
    [
      'an unknown resource type',
      bundle('transaction', [patient('p8'), { resourceType: 'Nonsense', id: 'n' }]),
      422,
    ],
    ['a resource of another patient', bundle('transaction', [patient('p8'), observation('o9', 'p9')]), 422],
    ['an unknown bundle type', bundle('message', [patient('p8')]), 422],
  ])('answers %s with an OperationOutcome and files nothing', async (_, body, status) => {
    const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
    const answer = await send(world, 'POST', '/fhir', body)
    expect({ status: answer.status, type: ((await answer.json()) as Json)['resourceType'] }).toEqual({
      status,
      type: 'OperationOutcome',
    })
    expect(await world.bridge.ports.store.patients.list()).toEqual([])
  })

  it('refuses another content type with 415, and a body over the limit with 413', async () => {
    const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
    expect((await send(world, 'POST', '/fhir', '{}', { 'content-type': 'text/plain' })).status).toBe(415)
    const large = { ...JSON_TYPE, 'content-length': String(17 * 1024 * 1024) }
    expect((await send(world, 'POST', '/fhir', '{}', large)).status).toBe(413)
  })

  it('keeps a reference that leads nowhere as it was sent, and says where it is', async () => {
    const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
    const encounter = { reference: 'urn:uuid:5c2b7f0e-0000-4000-8000-00000000dead' }
    const message = bundle('transaction', [patient('p1'), observation('o1', 'p1', { encounter })])
    const report = await world.bridge.import(Buffer.from(message), 'fhir+json')
    expect({ filed: report.filed.length, dangling: report.dangling }).toEqual({
      filed: 2,
      dangling: [{ position: 1, expression: 'Observation.encounter.reference' }],
    })
    expect(await (await send(world, 'GET', '/fhir/Observation/o1')).json()).toMatchObject({ encounter })
  })

  it('keeps the good lines of NDJSON and names the line of a truncated one', async () => {
    const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
    const text = `${JSON.stringify(patient('p1'))}\n${JSON.stringify(observation('o1', 'p1'))}\n{"resourceType":"Observ`
    const report = await world.bridge.import(Buffer.from(text), 'fhir+ndjson')
    expect(report.filed).toHaveLength(2)
    expect(report.quarantined.map((item) => [item.position, item.code])).toEqual([[3, 'JSON_MALFORMED']])
  })

  it('of NDJSON keeps lines that are not UTF-8 out, by their numbers, and files the others', async () => {
    const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
    const latin1 = Buffer.from(JSON.stringify({ ...patient('p2'), name: [{ family: 'Müller' }] }), 'latin1')
    const lines = [JSON.stringify(patient('p1')), latin1, '{', '', JSON.stringify(observation('o1', 'p1'))]
    const text = Buffer.concat(
      lines.map((line) => Buffer.concat([Buffer.from(line as string), Buffer.from('\n')])),
    )
    const report = await world.bridge.import(text, 'fhir+ndjson')
    expect(report.filed.map(({ item }) => item.position)).toEqual([1, 5])
    expect(report.quarantined.map((item) => [item.position, item.code])).toEqual([
      [2, 'ENCODING_MALFORMED'],
      [3, 'JSON_MALFORMED'],
    ])
  })
})
