// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { BRIDGE_URL, testBridge } from '#tests/bridge-world.ts'
import { bundle, bundleOf, JSON_TYPE, json, observation, patient, send, type Json } from '../requests.ts'
import { assertionOf, bodyOf, post, register, tokenOf, tokenWorld, type TokenWorld } from './world.ts'

let at: TokenWorld
beforeAll(async () => {
  at = await tokenWorld()
  await register(at.world)
  const loaded = await ask(
    'POST',
    '/fhir',
    ALL,
    bundle('transaction', [patient('p1'), observation('o1', 'p1')]),
  )
  expect(loaded.status).toBe(200)
})

const ALL = 'system/*.cruds'
async function ask(
  method: string,
  path: string,
  scope: string | null,
  body?: string,
  headers: Record<string, string> = JSON_TYPE,
): Promise<Response> {
  const token: Record<string, string> =
    scope === null ? {} : { authorization: `Bearer ${await tokenOf(at, scope)}` }
  return send(at.world, method, path, body, { ...headers, ...token })
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const weight = (id: string) => JSON.stringify(observation(id, 'p1'))
/** Every route about resources: the one scope it needs, and what it is asked with. */
const ROUTES: readonly (readonly [string, string, string, string?, Record<string, string>?])[] = [
  ['GET', '/fhir/Observation/o1', 'Observation.r'],
  ['GET', '/fhir/Observation/o1?_original=true', 'Observation.r'],
  ['GET', '/fhir/Observation/o1/_history', 'Observation.r'],
  ['GET', '/fhir/Observation/o1/_history/1.0', 'Observation.r'],
  ['GET', '/fhir/Patient/p1', 'Patient.r'],
  ['GET', '/fhir/Patient/p1/$everything', 'Patient.r'],
  ['GET', '/fhir/Observation?patient=p1', 'Observation.s'],
  ['GET', '/fhir/Patient?_id=p1', 'Patient.s'],
  ['POST', '/fhir/Observation/_search', 'Observation.s', 'patient=p1', FORM],
  ['GET', '/fhir/Provenance?target=Observation/o1', 'Provenance.s'],
  ['POST', '/fhir/Observation', 'Observation.c', weight('x')],
  ['PUT', '/fhir/Observation/o2', 'Observation.u', weight('o2')],
  ['DELETE', '/fhir/Observation/o2', 'Observation.d'],
]
const OTHER_LETTERS = (needed: string) => 'cruds'.replace(needed, '')

describe('a route', () => {
  it.each(ROUTES)('%s %s is for whoever has system/%s', async (...[method, path, needed, body, headers]) => {
    const [type = '', letter = ''] = needed.split('.')
    for (const scope of [`system/${type}.${OTHER_LETTERS(letter)}`, 'system/Device.cruds']) {
      const refused = await ask(method, path, scope, body, headers)
      expect(refused.status).toBe(403)
      expect(refused.headers.get('www-authenticate')).toBe(
        `Bearer realm="fhir", error="insufficient_scope", scope="system/${needed}"`,
      )
      expect(await json(refused)).toMatchObject({
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'error', code: 'forbidden' }],
      })
    }
    expect((await ask(method, path, `system/${needed}`, body, headers)).status).not.toBe(403)
  })

  it.each(ROUTES)('%s %s answers 401 without a token', async (...[method, path, , body, headers]) => {
    const refused = await ask(method, path, null, body, headers)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="fhir"')
    expect(await json(refused)).toMatchObject({ issue: [{ code: 'login' }] })
  })

  it('answers 403 alike, whether or not there is such a resource or type', async () => {
    const scope = 'system/Observation.rs'
    const texts = [
      'Condition/c1',
      'Condition/unknown',
      'Condition?patient=p1',
      'Condition?patient=unknown',
    ].map(async (path) => {
      const answer = await ask('GET', `/fhir/${path}`, scope)
      return `${answer.status} ${(await answer.text()).replace(/Condition\.[rs]/, '')}`
    })
    expect(new Set(await Promise.all(texts)).size).toBe(1)
  })

  it.each([
    '',
    'Basic ZWhyOnNlY3JldA==',
    'Bearer',
    'Bearer a b',
    'Bearer nothing',
    'Bearer eyJhbGciOiJub25lIn0.e30.',
  ])('does not take %j for a token', async (authorization) => {
    const refused = await send(at.world, 'GET', '/fhir/Patient/p1', undefined, { authorization })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toMatch(/error="invalid_token"/)
  })

  it('takes no token from the query', async () => {
    const token = await tokenOf(at)
    expect((await send(at.world, 'GET', `/fhir/Patient/p1?access_token=${token}`)).status).toBe(401)
  })
})

describe('$everything', () => {
  it('has what the token may search, and says that there may be more', async () => {
    const types = async (scope: string, query = '') => {
      const answer = await ask('GET', `/fhir/Patient/p1/$everything${query}`, scope)
      return (await bundleOf(answer)).entry.map(({ resource }) => resource.resourceType)
    }
    expect(new Set(await types(ALL))).toEqual(new Set(['Patient', 'Observation']))
    expect(await types('system/Patient.r')).toEqual(['Patient', 'OperationOutcome'])
    expect(await types('system/Patient.r system/Observation.r')).toEqual(['Patient', 'OperationOutcome'])
    expect(await types('system/Patient.r system/Observation.s')).toContain('Observation')
    expect(await types('system/Patient.r system/Observation.s', '?_type=Observation')).not.toContain(
      'Patient',
    )
  })

  it('refuses a type that was asked for by name and may not be seen', async () => {
    const path = '/fhir/Patient/p1/$everything?_type=Patient,Observation'
    const refused = await ask('GET', path, 'system/Patient.rs')
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toMatch(/scope="system\/Observation.s"/)
  })
})

describe('a bundle', () => {
  const mixed = (type: string) => bundle(type, [patient('p1'), observation('o9', 'p1')])

  it('that is a transaction is refused as a whole where one entry may not be written', async () => {
    const refused = await ask('POST', '/fhir', 'system/Patient.cu', mixed('transaction'))
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toMatch(/scope="system\/Observation.c"/)
    expect((await ask('GET', '/fhir/Observation/o9', ALL)).status).toBe(404)
  })

  it('that is a batch is judged entry by entry', async () => {
    const answer = await bundleOf(await ask('POST', '/fhir', 'system/Patient.cu', mixed('batch')))
    expect(answer.entry.map(({ response }) => response?.status.slice(0, 3))).toEqual(['200', '403'])
    expect(answer.entry[1]?.response?.outcome).toMatchObject({ issue: [{ code: 'forbidden' }] })
  })

  it('needs u for an update', async () => {
    const put = JSON.stringify({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: observation('o1', 'p1'), request: { method: 'PUT', url: 'Observation/o1' } }],
    })
    expect((await ask('POST', '/fhir', 'system/*.crds', put)).status).toBe(403)
    expect((await ask('POST', '/fhir', 'system/Observation.u', put)).status).toBe(200)
  })

  it.each([
    ['by its own id', { resource: observation('o1', 'p1') }],
    ['by its fullUrl', { fullUrl: 'urn:uuid:o1', resource: { ...observation('o1', 'p1'), id: undefined } }],
  ])('needs u for a POST that names %s what may be there already', async (_, entry) => {
    const [type, request] = ['batch', { method: 'POST', url: 'Observation' }]
    const changed = { ...entry, resource: { ...entry.resource, status: 'amended' }, request }
    const body = JSON.stringify({ resourceType: 'Bundle', type, entry: [changed] })
    const status = async () =>
      (
        await json(
          send(at.world, 'GET', '/fhir/Observation/o1', undefined, {
            authorization: `Bearer ${await tokenOf(at)}`,
          }),
        )
      )['status']
    const before = await status()
    const refused = await bundleOf(await ask('POST', '/fhir', 'system/Observation.c', body))
    expect(refused.entry.map(({ response }) => response?.status.slice(0, 3))).toEqual(['403'])
    const whole = await ask('POST', '/fhir', 'system/Observation.c', body.replace('batch', 'transaction'))
    expect(whole.status).toBe(403)
    expect(whole.headers.get('www-authenticate')).toMatch(/scope="system\/Observation.u"/)
    expect(await status()).toBe(before)
    const done = await bundleOf(await ask('POST', '/fhir', 'system/Observation.cu', body))
    expect(done.entry.map(({ response }) => response?.status.slice(0, 3))).toEqual(['200'])
  })

  it('is not read for whoever has no token', async () => {
    expect((await ask('POST', '/fhir', null, 'not even JSON')).status).toBe(401)
  })
})

describe('a token', () => {
  const read = (token: string) =>
    send(at.world, 'GET', '/fhir/Patient/p1', undefined, { authorization: `Bearer ${token}` })

  it('is good for five minutes, and says so afterwards', async () => {
    const token = await tokenOf(at)
    at.deployment.clock.now += 299_000
    expect((await read(token)).status).toBe(200)
    at.deployment.clock.now += 1000
    const refused = await read(token)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toMatch(/error="invalid_token"/)
    expect(await json(refused)).toMatchObject({ issue: [{ code: 'expired' }] })
  })

  it('is known to another process with the same table and secret, and to no other bridge', async () => {
    const authorization = `Bearer ${await tokenOf(at)}`
    const other = testBridge(at.deployment, 'hospital-a', { ...at.kept, requireLogin: true })
    expect((await send(other, 'GET', '/fhir/Patient/p1', undefined, { authorization })).status).toBe(200)
    // Random numbers of tests repeat, and with them the secret.
    const stranger = await tokenWorld({ key: new Uint8Array(32).fill(9) })
    await register(stranger.world)
    expect((await send(stranger.world, 'GET', '/fhir/Patient/p1', undefined, { authorization })).status).toBe(
      401,
    )
  })

  it('that was revoked stays so for a process whose clock is behind that of the one that sweeps', async () => {
    const token = await tokenOf(at)
    expect((await post(at, { token }, { path: 'revoke' })).status).toBe(200)
    at.deployment.clock.now += 305_000
    await at.world.bridge.ports.store.sweepMarks()
    at.deployment.clock.now -= 10_000
    expect((await read(token)).status).toBe(401)
  })

  it('is good although its scopes are longer than they were asked for', async () => {
    const types = Array.from(
      { length: 155 },
      (_, i) => `Type${'abcdefghij'[i % 10]}${'a'.repeat(1 + i / 10)}`,
    )
    const scopes = types.map((type) => `system/${type}.*`).join(' ')
    await register(at.world, { id: 'wide', scopes: `${scopes} system/Patient.r` })
    const client_assertion = assertionOf(at, { client: 'wide' })
    const answer = await post(at, { client_assertion, scope: 'system/*.cruds' })
    expect((await read(String((await bodyOf(answer))['access_token']))).status).toBe(200)
    await at.world.bridge.ports.store.clients.remove('wide')
  })

  it('ends when its client is suspended, changed or removed, and does not come back', async () => {
    const { clients } = at.world.bridge.ports.store
    await register(at.world, { id: 'brief' })
    const issue = async () => {
      const client_assertion = assertionOf(at, { client: 'brief' })
      return String((await bodyOf(await post(at, { client_assertion })))['access_token'])
    }
    const token = await issue()
    expect((await read(token)).status).toBe(200)
    await clients.suspend('brief')
    expect((await read(token)).status).toBe(401)
    expect((await post(at, { client_assertion: assertionOf(at, { client: 'brief' }) })).status).toBe(400)
    await register(at.world, { id: 'brief' })
    expect((await read(token)).status).toBe(401)
    const next = await issue()
    expect((await read(next)).status).toBe(200)
    expect(await clients.remove('brief')).toBe(true)
    expect((await read(next)).status).toBe(401)
  })
})

describe('what anybody may ask', () => {
  it('is where tokens are, at an address that no request chooses', async () => {
    const answer = await at.world.app.request('http://evil.test/fhir/.well-known/smart-configuration', {
      headers: { accept: 'text/html' },
    })
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await answer.json()).toEqual({
      token_endpoint: `${BRIDGE_URL}/oauth/token`,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      introspection_endpoint: `${BRIDGE_URL}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ['private_key_jwt'],
      revocation_endpoint: `${BRIDGE_URL}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ['private_key_jwt'],
      grant_types_supported: ['client_credentials'],
      scopes_supported: ['system/*.rs', 'system/*.cruds'],
      code_challenge_methods_supported: ['S256'],
      capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
    })
  })

  it('is the CapabilityStatement, which names the same endpoints', async () => {
    const { rest } = await json(send(at.world, 'GET', '/fhir/metadata'))
    const [{ security } = {}] = rest as { security?: Json }[]
    expect(security).toMatchObject({
      service: [{ coding: [{ code: 'SMART-on-FHIR' }] }],
      extension: [{ extension: [{ url: 'token', valueUri: `${BRIDGE_URL}/oauth/token` }, {}, {}] }],
    })
  })
})
