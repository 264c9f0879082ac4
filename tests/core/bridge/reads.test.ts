// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { testBridge } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, bundleOf, json, observation, patient, send } from './requests.ts'

async function setting() {
  const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
  const ids = ['o1', 'o3', 'o5', 'o7']
  const meta = (id: string) => ({ lastUpdated: `2026-01-0${id.slice(1)}T00:00:00Z` })
  await send(
    world,
    'POST',
    '/fhir',
    bundle('transaction', [patient('p1'), ...ids.map((id) => observation(id, 'p1', { meta: meta(id) }))]),
  )
  return world
}
const next = (page: { link: { relation: string; url: string }[] }) =>
  page.link.find(({ relation }) => relation === 'next')?.url.replace(/^http:\/\/[^/]+/, '')

describe('paging', () => {
  it('neither repeats nor loses what was there, whatever is filed and deleted meanwhile', async () => {
    const world = await setting()
    const first = await bundleOf(send(world, 'GET', '/fhir/Observation?patient=p1&_count=2'))
    expect(first.entry.map(({ resource }) => resource.id)).toEqual(['o1', 'o3'])
    await send(world, 'PUT', '/fhir/Observation/o0', JSON.stringify(observation('o0', 'p1')))
    await send(world, 'DELETE', '/fhir/Observation/o3')
    const second = await bundleOf(send(world, 'GET', next(first) ?? ''))
    expect(second.entry.map(({ resource }) => resource.id)).toEqual(['o5', 'o7'])
    expect(next(second)).toBeUndefined()
    expect((await send(world, 'GET', '/fhir/Observation?patient=p1&_cursor=%21')).status).toBe(400)
  })
})

describe('$everything', () => {
  it('understands _type and _since, and refuses what it does not understand', async () => {
    const world = await setting()
    const ids = async (query: string) =>
      (await bundleOf(send(world, 'GET', `/fhir/Patient/p1/$everything?${query}`))).entry.map(
        ({ resource }) => resource.id,
      )
    expect(await ids('_type=Patient')).toEqual(['p1'])
    expect(await ids('_type=Observation&_since=2026-01-04T00:00:00Z')).toEqual(['o5', 'o7'])
    const refused = await send(world, 'GET', '/fhir/Patient/p1/$everything?start=2020-01-01')
    expect(refused.status).toBe(501)
    expect((await send(world, 'GET', '/fhir/Patient/p1/$everything?_since=x')).status).toBe(400)
  })
})

describe('a search', () => {
  it('by POST finds what the same one by GET finds', async () => {
    const world = await setting()
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const posted = await bundleOf(
      send(world, 'POST', '/fhir/Observation/_search', 'patient=p1&_lastUpdated=ge2026-01-05', form),
    )
    const got = await bundleOf(send(world, 'GET', '/fhir/Observation?patient=p1&_lastUpdated=ge2026-01-05'))
    expect(posted).toEqual(got)
    expect(posted.entry).toHaveLength(2)
  })

  it('finds nothing of one patient for another, and repeats no parameter that could hold data', async () => {
    const world = await setting()
    expect((await bundleOf(send(world, 'GET', '/fhir/Observation?patient=p1&subject=p2'))).entry).toEqual([])
    const refused = await send(world, 'GET', '/fhir/Observation?patient=p1&Ann%20Smith%201980=1')
    expect(refused.status).toBe(501)
    expect(await refused.text()).not.toContain('Ann')
  })
})

describe('what is not served', () => {
  it.each([
    ['GET', '/fhir/Foo?patient=p1', 404],
    ['GET', '/fhir/Provenance?patient=p1', 501],
    ['GET', '/fhir', 501],
    ['PATCH', '/fhir/Patient/p1', 501],
    ['GET', '/fhir/Patient/p1/a/b/c', 501],
  ])('is refused as FHIR refuses: %s %s', async (method, path, status) => {
    const answer = await send(await setting(), method, path)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ resourceType: 'OperationOutcome' })
  })
})

describe('the history', () => {
  it('says how each version came: a create to the type, an update to the resource', async () => {
    const world = await setting()
    await send(world, 'PUT', '/fhir/Observation/o1', JSON.stringify(observation('o1', 'p1')))
    const { entry } = await bundleOf(send(world, 'GET', '/fhir/Observation/o1/_history'))
    expect(entry.map((item) => (item as { request?: object }).request)).toEqual([
      { method: 'PUT', url: 'Observation/o1' },
      { method: 'POST', url: 'Observation' },
    ])
  })
})

describe('the capability statement', () => {
  it('lists what can be about a patient, and nothing that is refused', async () => {
    const world = await setting()
    const statement = (await json(send(world, 'GET', '/fhir/metadata'))) as {
      rest: {
        resource: { type: string; interaction: { code: string }[]; searchParam: { name: string }[] }[]
      }[]
    }
    const types = statement.rest[0]?.resource ?? []
    expect(types.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['Patient', 'Observation', 'Immunization', 'Coverage', 'Task']),
    )
    expect(types.find(({ type }) => type === 'Organization')?.searchParam).toBeUndefined()
    expect(types.map(({ type }) => type)).not.toContain('Bundle')
    const searched = types.filter(
      (one) => one.type !== 'Provenance' && one.interaction.some(({ code }) => code === 'search-type'),
    )
    for (const { type, searchParam } of searched) {
      for (const { name } of searchParam) {
        const value = name === 'date' || name === '_lastUpdated' ? '2026' : 'p1'
        const answer = await send(world, 'GET', `/fhir/${type}?patient=p1&${name}=${value}`)
        expect({ type, name, status: answer.status }).toEqual({ type, name, status: 200 })
      }
    }
  })
})
