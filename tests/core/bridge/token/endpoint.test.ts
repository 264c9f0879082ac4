// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { testBridge } from '#tests/bridge-world.ts'
import { ecPair, rsaPair } from '#tests/core/token/clients.ts'
import {
  assertionOf,
  bodyOf,
  EC,
  formOf,
  JWT_BEARER,
  post,
  register,
  RSA,
  TOKEN_URL,
  tokenOf,
  tokenWorld,
  type TokenWorld,
} from './world.ts'

let at: TokenWorld
beforeAll(async () => {
  at = await tokenWorld()
  await register(at.world)
  await register(at.world, { id: 'narrow', scopes: 'system/Observation.rs' })
})

const error = async (answer: Response) => ({ status: answer.status, error: (await bodyOf(answer))['error'] })

describe('the token endpoint', () => {
  it.each([
    ['RS384', RSA],
    ['ES384', EC],
  ])('gives a token for an assertion with %s, and nothing that may be kept', async (_, pair) => {
    const answer = await post(at, { client_assertion: assertionOf(at, { pair }) })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('pragma')).toBe('no-cache')
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await bodyOf(answer)).toEqual({
      access_token: expect.stringMatching(/^[\w.-]{60,}$/),
      token_type: 'bearer',
      expires_in: 300,
      scope: 'system/*.rs',
    })
  })

  it('says in words of version 2 what it gives, and gives no more than is registered', async () => {
    for (const [scope, granted] of [
      ['system/*.read', 'system/*.rs'],
      ['system/Patient.* openid', 'system/Patient.cruds'],
    ] as const)
      expect((await bodyOf(await post(at, { scope })))['scope']).toBe(granted)
    const client_assertion = assertionOf(at, { client: 'narrow' })
    const narrow = await post(at, { scope: 'system/*.cruds', client_assertion })
    expect((await bodyOf(narrow))['scope']).toBe('system/Observation.rs')
  })

  // Inferno's SMART backend suite: exactly 400 for the grant type, 400 or 401 for the others.
  it.each<[string, Record<string, string | null>, string]>([
    ['another grant type', { grant_type: 'not_a_grant_type' }, 'unsupported_grant_type'],
    ['no grant type', { grant_type: null }, 'invalid_request'],
    ['an empty grant type', { grant_type: '' }, 'invalid_request'],
    ['another type of assertion', { client_assertion_type: 'not_an_assertion_type' }, 'invalid_client'],
    ['no type of assertion', { client_assertion_type: null }, 'invalid_client'],
    ['no assertion', { client_assertion: '' }, 'invalid_client'],
    ['an assertion that is none', { client_assertion: 'no.jwt.here' }, 'invalid_client'],
    ['another client_id', { client_id: 'narrow' }, 'invalid_client'],
    ['no scope', { scope: null }, 'invalid_scope'],
    ['a scope that is none', { scope: 'system/Observation.dus' }, 'invalid_scope'],
    ['a scope with a query', { scope: 'system/Observation.rs?category=x' }, 'invalid_scope'],
    ['scopes for people only', { scope: 'openid patient/*.rs' }, 'invalid_scope'],
  ])('refuses %s', async (_, changed, name) => {
    expect(await error(await post(at, changed))).toEqual({ status: 400, error: name })
  })

  it.each<[string, Parameters<typeof assertionOf>[1]]>([
    ['of nobody', { client: 'nobody' }],
    ['whose iss is another', { claims: { iss: 'narrow' } }],
    ['for another server', { claims: { aud: 'https://other.test/oauth/token' } }],
    ['for us and another', { claims: { aud: [TOKEN_URL, 'https://other.test/oauth/token'] } }],
    ['without exp', { claims: { exp: undefined } }],
    ['without jti', { claims: { jti: undefined } }],
    ['that expired', { claims: { exp: 1 } }],
    ['that expires in an hour', { claims: { exp: 4_000_000_000 } }],
    ['with an unknown kid', { header: { kid: 'ec-2' } }],
    ['without kid', { header: { kid: undefined } }],
    ['with the kid of the other key', { header: { kid: 'rsa-1' } }],
    ['with alg none', { header: { alg: 'none' } }],
    ['with alg HS384', { header: { alg: 'HS384' } }],
    ['with a jku, which none registered', { header: { jku: 'https://ehr.test/jwks.json' } }],
    ['signed with another key', { pair: ecPair('ec-1') }],
    ['signed with another RSA key', { pair: rsaPair('rsa-1') }],
    ['with a key in its header', { pair: ecPair('ec-9'), header: { jwk: ecPair('ec-9').jwk } }],
  ])('refuses an assertion %s as invalid_client', async (_, changed) => {
    const client_assertion = assertionOf(at, changed)
    expect(await error(await post(at, { client_assertion }))).toEqual({
      status: 400,
      error: 'invalid_client',
    })
  })

  it('says the same of a client that is not there and of a signature that is wrong', async () => {
    const said = async (changed: Parameters<typeof assertionOf>[1]) =>
      bodyOf(await post(at, { client_assertion: assertionOf(at, changed) }))
    expect(await said({ client: 'nobody' })).toEqual(await said({ pair: ecPair('ec-1') }))
  })

  it('takes an assertion once, whichever process sees it first', async () => {
    const other = testBridge(at.deployment, 'hospital-a', { ...at.kept, requireLogin: true })
    const client_assertion = assertionOf(at)
    const answers = await Promise.all(
      [at.world, other, at.world, other].map((world) => post(at, { client_assertion }, { world })),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400, 400])
    expect((await post(at, { client_assertion }, { world: other })).status).toBe(400)
  })

  it('refuses a jti again in another assertion, until the first has expired; another client may have the same', async () => {
    const claims = { jti: 'the same' }
    const once = { client_assertion: assertionOf(at, { claims }) }
    expect((await post(at, once)).status).toBe(200)
    const again = { client_assertion: assertionOf(at, { claims, pair: RSA }) }
    expect((await bodyOf(await post(at, again)))['error_description']).toMatch(/jti was used/)
    const other = { client_assertion: assertionOf(at, { claims, client: 'narrow' }) }
    expect((await post(at, other)).status).toBe(200)
    at.deployment.clock.now += 400_000
    expect((await post(at, { client_assertion: assertionOf(at, { claims }) })).status).toBe(200)
  })

  it('is not used up by an assertion that its client did not sign', async () => {
    const claims = { jti: 'not spent' }
    await post(at, { client_assertion: assertionOf(at, { claims, pair: ecPair('ec-1') }) })
    expect((await post(at, { client_assertion: assertionOf(at, { claims }) })).status).toBe(200)
  })

  it('answers 401, with the scheme that was tried, whoever authenticates by a header', async () => {
    for (const [authorization, scheme] of [
      ['Basic ZWhyOnNlY3JldA==', 'Basic realm="oauth"'],
      ['Bearer abc', 'Bearer realm="oauth"'],
    ] as const) {
      const answer = await post(at, { client_assertion: '' }, { headers: { authorization } })
      expect(answer.headers.get('www-authenticate')).toBe(scheme)
      expect(await error(answer)).toEqual({ status: 401, error: 'invalid_client' })
    }
  })

  it('refuses a parameter twice, another content type, a form that is too large, and other methods', async () => {
    const form = formOf({ grant_type: 'client_credentials', client_assertion_type: JWT_BEARER })
    form.append('grant_type', 'client_credentials')
    const send = (body: string, type = 'application/x-www-form-urlencoded') =>
      at.world.app.request('/oauth/token', { method: 'POST', headers: { 'content-type': type }, body })
    const malformed = { status: 400, error: 'invalid_request' }
    expect(await error(await send(form.toString()))).toEqual(malformed)
    expect(await error(await send('{}', 'application/json'))).toEqual(malformed)
    expect(await error(await send(`grant_type=${'x'.repeat(40_000)}`))).toEqual(malformed)
    const got = await at.world.app.request('/oauth/token')
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('gives a client so many tokens a minute; who only names it takes none of them', async () => {
    const few = await tokenWorld({ tokensPerMinute: 2 })
    await register(few.world)
    await register(few.world, { id: 'other' })
    for (let i = 0; i < 5; i++)
      await post(few, { client_assertion: assertionOf(few, { pair: ecPair('ec-1') }) })
    expect((await post(few)).status).toBe(200)
    expect((await post(few)).status).toBe(200)
    const refused = await post(few)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(await error(refused)).toEqual({ status: 429, error: 'temporarily_unavailable' })
    expect((await post(few, { client_assertion: assertionOf(few, { client: 'other' }) })).status).toBe(200)
    few.deployment.clock.now += 60_000
    expect((await post(few)).status).toBe(200)
  })
})

describe('introspection and revocation', () => {
  const about = (path: string, token: string, client = 'ehr') =>
    post(at, { token, client_assertion: assertionOf(at, { client }) }, { path })

  it('say what a token of the asking client is good for, and of others only that they are not', async () => {
    const token = await tokenOf(at, 'system/Observation.rs')
    const said = await bodyOf(await about('introspect', token))
    const nowSeconds = Math.floor(at.deployment.clock.now / 1000)
    expect(said).toMatchObject({
      active: true,
      scope: 'system/Observation.rs',
      client_id: 'ehr',
      token_type: 'bearer',
      exp: nowSeconds + 300,
    })
    expect(await bodyOf(await about('introspect', token, 'narrow'))).toEqual({ active: false })
    expect(await bodyOf(await about('introspect', `${token.slice(0, -1)}_`))).toEqual({ active: false })
    expect(await bodyOf(await about('introspect', 'nothing'))).toEqual({ active: false })
  })

  it('end a token of the asking client in every process, and of nobody else', async () => {
    const token = await tokenOf(at)
    expect(await error(await about('revoke', token, 'narrow'))).toEqual({
      status: 400,
      error: 'unauthorized_client',
    })
    expect((await about('revoke', token)).status).toBe(200)
    expect((await about('revoke', token)).status).toBe(200)
    expect((await about('revoke', 'nothing')).status).toBe(200)
    expect(await bodyOf(await about('introspect', token))).toEqual({ active: false })
    const other = testBridge(at.deployment, 'hospital-a', { ...at.kept, requireLogin: true })
    const answer = await other.app.request('/fhir/Patient/p1', {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(answer.status).toBe(401)
  })

  it('need an assertion, and the token that is meant', async () => {
    for (const path of ['introspect', 'revoke']) {
      expect(await error(await post(at, {}, { path }))).toEqual({ status: 400, error: 'invalid_request' })
      const unsigned = await post(at, { token: 'x', client_assertion: '' }, { path })
      expect(await error(unsigned)).toEqual({ status: 400, error: 'invalid_client' })
    }
    const aud = TOKEN_URL.replace('token', 'introspect')
    const own = await post(
      at,
      { token: 'x', client_assertion: assertionOf(at, { claims: { aud } }) },
      { path: 'introspect' },
    )
    expect(own.status).toBe(200)
    // What was made for one endpoint is good for no token.
    expect((await post(at, { client_assertion: assertionOf(at, { claims: { aud } }) })).status).toBe(400)
  })
})

it('an old key of a client is refused once it has registered a new one of the same name', async () => {
  const by = await tokenWorld()
  await register(by.world)
  expect((await post(by)).status).toBe(200)
  const next = ecPair('ec-1')
  await register(by.world, { keys: [next.jwk] })
  expect((await post(by)).status).toBe(400)
  expect((await post(by, { client_assertion: assertionOf(by, { pair: next }) })).status).toBe(200)
})
