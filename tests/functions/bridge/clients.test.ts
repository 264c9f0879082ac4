// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { AUTH_SCHEME, authorize } from '#core/api/request.ts'
import { REQUEST_TOLERANCE_MS } from '#core/api/limits.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Signer } from '#core/ports/keys.ts'
import { MAX_REGISTRATION_BYTES } from '#core/token/client-registration.ts'
import { openBridging } from '#functions/bridge/alone.ts'
import type { RoleApp } from '#functions/host/app.ts'
import { bundle, observation, patient } from '#tests/core/bridge/requests.ts'
import { assertion, ecPair } from '#tests/core/token/clients.ts'
import { instanceRecords } from '#tests/deployment.ts'
import { generateSoftwareSigner } from '#core/crypto/signature.ts'
import { hostedBridge } from './hosted-bridge.ts'

const ORIGIN = 'https://bridge.test'
const EHR = ecPair('ehr-1')
const WANTED = { name: 'An EHR', scopes: 'system/*.cruds', jwks: { keys: [EHR.jwk] } }

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
/** What is asked, and what of it is not as it should be. */
interface Asked {
  readonly method?: Method
  readonly path?: string
  readonly body?: unknown
  readonly signer?: Signer
  readonly signed?: {
    readonly origin?: string
    readonly path?: string
    readonly method?: Method
    readonly body?: string
  }
  readonly nowMs?: number
}
type At = Awaited<ReturnType<typeof hostedBridge>>

async function request(at: At, asked: Asked = {}): Promise<Request> {
  const { method = 'GET', path = '/clients', body, signed = {}, nowMs = at.world.clock.now } = asked
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const authorization = await authorize(
    {
      method: signed.method ?? method,
      url: new URL(signed.path ?? path, signed.origin ?? ORIGIN),
      body: utf8(signed.body ?? text),
    },
    {
      now: () => nowMs,
      random: at.world.random,
      signer: asked.signer ?? at.world.institution('hospital-a').instance,
    },
  )
  const init = { method, headers: { authorization, 'content-type': 'application/json' } }
  // Whatever host a request names is of no account.
  return new Request(new URL(path, 'https://gateway.test'), text === '' ? init : { ...init, body: text })
}
const ask = async (app: RoleApp, at: At, asked: Asked = {}) => app.request(await request(at, asked))
const put = (app: RoleApp, at: At, body: unknown = WANTED, path = '/clients/ehr') =>
  ask(app, at, { method: 'PUT', path, body })

async function token(app: RoleApp, at: At, jti: string): Promise<Response> {
  const about = { client: 'ehr', aud: `${ORIGIN}/oauth/token`, nowMs: at.world.clock.now, jti }
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(EHR, about),
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return app.request('/oauth/token', { method: 'POST', headers, body: form.toString() })
}

describe('the clients of a bridge that is not on its institution’s computer', () => {
  it('are registered by the institution, get tokens and read, until they are suspended or removed', async () => {
    const at = await hostedBridge()
    const app = await at.bridging()
    const made = await put(app, at)
    expect(made.status).toBe(201)
    const shown = {
      id: 'ehr',
      name: 'An EHR',
      status: 'active',
      scopes: 'system/*.cruds',
      jwksUrl: null,
      keys: [{ kid: 'ehr-1', alg: 'ES384' }],
      since: new Date(at.world.clock.now).toISOString(),
    }
    expect(await made.json()).toEqual(shown)
    expect(await (await ask(app, at)).json()).toEqual({ items: [shown] })
    expect(await (await ask(app, at, { path: '/clients/ehr' })).json()).toEqual(shown)

    const given = (await (await token(app, at, 'one')).json()) as { access_token: string }
    const headers = {
      authorization: `Bearer ${given.access_token}`,
      'content-type': 'application/fhir+json',
    }
    const body = bundle('transaction', [patient('p1'), observation('o1', 'p1')])
    expect((await app.request('/fhir', { method: 'POST', headers, body })).status).toBe(200)
    const read = async () => (await app.request('/fhir/Observation/o1', { headers })).status
    expect(await read()).toBe(200)

    const suspended = await put(app, at, { status: 'suspended' })
    expect([suspended.status, await suspended.json()]).toEqual([200, { ...shown, status: 'suspended' }])
    expect([await read(), (await token(app, at, 'two')).status]).toEqual([401, 400])
    expect((await put(app, at)).status).toBe(200)
    expect((await token(app, at, 'three')).status).toBe(200)
    const removal = { method: 'DELETE', path: '/clients/ehr' } as const
    expect((await ask(app, at, removal)).status).toBe(204)
    expect((await token(app, at, 'four')).status).toBe(400)
    for (const asked of [removal, { path: '/clients/ehr' }])
      expect(await (await ask(app, at, asked)).json()).toMatchObject({ code: 'NOT_FOUND' })
    expect(await (await put(app, at, { status: 'suspended' })).json()).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('have ids that are URLs, whether or not a gateway decodes paths', async () => {
    const at = await hostedBridge()
    const app = await at.bridging()
    const id = 'https://ehr.example/app?x=1'
    const path = `/clients/${encodeURIComponent(id)}`
    expect(await (await put(app, at, WANTED, path)).json()).toMatchObject({ id })
    const encoded = await request(at, { path })
    const decoded = new Request('https://gateway.test/clients/https://ehr.example/app%3Fx=1', encoded)
    expect(await (await app.request(decoded)).json()).toMatchObject({ id })
  })

  it('are told of and changed for nobody else, in the same words whatever is wrong', async () => {
    const at = await hostedBridge(['hospital-a', 'hospital-b'])
    const { world } = at
    const app = await at.bridging()
    const stranger = await generateSoftwareSigner('ES256', world.random)
    const device = await generateSoftwareSigner('ES256', world.random)
    const { instance, key } = instanceRecords('hospital-a-9', world.institution('hospital-a').id, device, [
      'identify',
    ])
    await world.change('hospital-a', [{ act: 'enrol', instance, key }])
    const late = REQUEST_TOLERANCE_MS + 1
    const wrong: Readonly<Record<string, Asked>> = {
      'another key': { signer: stranger },
      'another institution': { signer: world.institution('hospital-b').instance },
      'an instance without control': { signer: device },
      'the root key': { signer: world.institution('hospital-a').root },
      'another origin': { signed: { origin: 'https://gateway.test' } },
      'another method': { signed: { method: 'DELETE' } },
      'another target': { signed: { path: '/clients/ehr' } },
      'a query that was not signed': { path: '/clients?all', signed: { path: '/clients' } },
      'another body': { method: 'PUT', path: '/clients/ehr', body: WANTED, signed: { body: '{}' } },
      'an old time': { nowMs: world.clock.now - late },
      'a time to come': { nowMs: world.clock.now + late },
    }
    const answers = await Promise.all(
      Object.entries(wrong).map(async ([what, asked]) => ({ what, answer: await ask(app, at, asked) })),
    )
    const headers = (authorization: string) => ({ headers: { authorization } })
    for (const given of [{}, headers('Bearer x'), headers(`${AUTH_SCHEME} x`), headers(AUTH_SCHEME)])
      answers.push({ what: JSON.stringify(given), answer: await app.request('/clients', given) })
    const good = await request(at)
    const cut = good.headers.get('authorization')?.slice(0, -4) ?? ''
    answers.push({ what: 'a cut signature', answer: await app.request('/clients', headers(`${cut}AAAA`)) })
    for (const { what, answer } of answers) {
      const { detail, code } = (await answer.json()) as { detail: string; code: string }
      const type = answer.headers.get('content-type')
      expect({
        what,
        status: answer.status,
        code,
        type,
        isSame: detail.startsWith('request: it is not signed'),
      }).toEqual({
        what,
        status: 401,
        code: 'UNAUTHORIZED',
        type: 'application/problem+json',
        isSame: true,
      })
    }
    expect((await app.request(good)).status).toBe(200)
  })

  it('are an active instance’s to change: not after it was revoked, however shortly', async () => {
    const at = await hostedBridge()
    const app = await at.bridging()
    const { second } = at.world.institution('hospital-a')
    expect((await ask(app, at, { signer: second })).status).toBe(200)
    await at.world.change('hospital-a', [
      { act: 'revoke', kid: second.kid, reason: 'compromised', suspectFrom: null },
    ])
    expect((await ask(app, at, { signer: second })).status).toBe(401)
  })

  it('are changed once by one request, whichever process it reaches', async () => {
    const at = await hostedBridge()
    const [one, other] = [await at.bridging(), await at.bridging()]
    const asked = await request(at, { method: 'PUT', path: '/clients/ehr', body: WANTED })
    const both = await Promise.all([one.request(asked.clone()), other.request(asked.clone())])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 401])
    for (const app of [one, other]) {
      at.world.clock.now += REQUEST_TOLERANCE_MS
      expect((await app.request(asked.clone())).status).toBe(401)
    }
  })

  it('are not registered as what they cannot be', async () => {
    const at = await hostedBridge()
    const app = await at.bridging()
    const { d: _, ...publicOnly } = EHR.jwk
    const small = ecPair('p256', 'P-256', 'ES256')
    const wrong: readonly [unknown, number][] = [
      ['{', 400],
      [{ ...WANTED, more: 1 }, 400],
      [{ ...WANTED, jwksUrl: 'https://ehr.example/jwks.json' }, 400],
      [{ name: 'x', scopes: 'system/*.rs' }, 400],
      [{ ...WANTED, name: ' ' }, 400],
      [{ ...WANTED, name: 'x'.repeat(201) }, 400],
      [{ ...WANTED, scopes: 'patient/*.rs' }, 400],
      [{ ...WANTED, scopes: 'system/*.x' }, 400],
      [{ ...WANTED, jwks: { keys: [] } }, 400],
      [{ ...WANTED, jwks: { keys: [small.jwk] } }, 400],
      [{ ...WANTED, jwks: { keys: [publicOnly, { ...publicOnly, d: 'AAAA' }] } }, 400],
      [{ ...WANTED, jwks: { keys: [EHR.jwk, EHR.jwk] } }, 400],
      [{ name: 'x', scopes: 'system/*.rs', jwksUrl: 'http://ehr.example/jwks.json' }, 400],
      [{ status: 'active' }, 400],
      [{ ...WANTED, name: 'x'.repeat(MAX_REGISTRATION_BYTES) }, 413],
    ]
    for (const [body, status] of wrong) {
      const answer = await put(app, at, body)
      expect({ body, status: answer.status }).toEqual({ body, status })
    }
    expect((await put(app, at, WANTED, `/clients/${'x'.repeat(129)}`)).status).toBe(400)
    expect(await (await ask(app, at)).json()).toEqual({ items: [] })
    const post = await ask(app, at, { method: 'POST' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    const form = await app.request('/clients/ehr', { method: 'PUT', body: 'x' })
    expect(form.status).toBe(415)
  })

  it.each(['not-applied', 'applied-unknown'] as const)(
    'are whole, and can be asked for again, whichever call fails (%s)',
    async (fault) => {
      const at = await hostedBridge()
      const faults = withFaults(at.platform)
      const app = await openBridging(at.hosted(faults.platform))
      const sound = await at.bridging()
      for (const [status, asked] of [
        [201, { method: 'PUT', path: '/clients/ehr', body: WANTED }],
        [200, { method: 'PUT', path: '/clients/ehr', body: { status: 'suspended' } }],
        [204, { method: 'DELETE', path: '/clients/ehr' }],
      ] as const) {
        let k = 0
        for (let isDone = false; !isDone; k++) {
          faults.plan(failAt(k, fault))
          const answer = await ask(app, at, asked)
          isDone = answer.status < 300
          const wasAppliedBefore = fault === 'applied-unknown'
          const isExpected = isDone || answer.status === 503 || (wasAppliedBefore && answer.status === 404)
          expect({ asked, k, status: answer.status, isExpected }).toMatchObject({ isExpected: true })
          if (answer.status === 404) isDone = true
          const listed = await ask(sound, at)
          expect({ asked, k, status: listed.status }).toMatchObject({ status: 200 })
        }
        faults.plan(() => null)
        expect({ status, k: k > 1 }).toMatchObject({ k: true })
        const { items } = (await (await ask(sound, at)).json()) as { items: { status: string }[] }
        const now = status === 204 ? [] : [status === 201 ? 'active' : 'suspended']
        expect(items.map((item) => item.status)).toEqual(now)
      }
    },
  )
})
