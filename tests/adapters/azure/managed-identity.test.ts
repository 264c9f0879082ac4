// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { managedIdentity } from '#adapters/azure/clients/managed-identity.ts'

const SCOPE = 'https://vault.azure.net/.default'
const END_S = 1_800_000_000
const HOUR_MS = 3_600_000
const good = { access_token: 'token-1', expires_on: String(END_S), resource: 'r', token_type: 'Bearer' }

/** An identity whose endpoint answers in turn with these, and what it was asked. */
function identity(...answers: readonly (() => Response | Promise<Response>)[]) {
  const asked: { readonly url: URL; readonly headers: Headers }[] = []
  const clock = { now: (END_S - 7200) * 1000 }
  const fetch = async (url: URL, { headers }: RequestInit) => {
    asked.push({ url, headers: new Headers(headers) })
    return (answers[asked.length - 1] ?? answers.at(-1))?.() ?? new Response(null, { status: 500 })
  }
  const endpoint = { url: 'http://127.0.0.1:41/msi/token/', header: 'header-1' }
  return { asked, clock, credential: managedIdentity(endpoint, 'client-1', { fetch, now: () => clock.now }) }
}
const json =
  (value: unknown, status = 200) =>
  () =>
    Response.json(value, { status })

describe('the managed identity of a function app', () => {
  it('is asked for as App Service documents it, and gives the token with its end', async () => {
    const { credential, asked } = identity(json(good))
    expect(await credential.getToken(SCOPE)).toEqual({
      token: 'token-1',
      expiresOnTimestamp: END_S * 1000,
      tokenType: 'Bearer',
    })
    expect(Object.fromEntries(asked[0]?.url.searchParams ?? [])).toEqual({
      resource: 'https://vault.azure.net',
      client_id: 'client-1',
      'api-version': '2019-08-01',
    })
    expect(asked[0]?.url.pathname).toBe('/msi/token/')
    expect(asked[0]?.headers.get('x-identity-header')).toBe('header-1')
  })

  it('keeps a token for each resource until five minutes before its end', async () => {
    const { credential, asked, clock } = identity(
      json(good),
      json(good),
      json({ ...good, access_token: 'token-2' }),
    )
    await credential.getToken(SCOPE)
    await credential.getToken([SCOPE])
    expect(asked).toHaveLength(1)
    await credential.getToken('https://storage.azure.com/.default')
    expect(asked).toHaveLength(2)
    clock.now += 2 * HOUR_MS - 5 * 60_000 - 1
    expect((await credential.getToken(SCOPE))?.token).toBe('token-1')
    clock.now += 1
    expect((await credential.getToken(SCOPE))?.token).toBe('token-2')
  })

  it('asks once for all who ask at the same time', async () => {
    const { credential, asked } = identity(json(good))
    const tokens = await Promise.all([1, 2, 3].map(() => credential.getToken(SCOPE)))
    expect(new Set(tokens.map((token) => token?.token))).toEqual(new Set(['token-1']))
    expect(asked).toHaveLength(1)
  })

  it('asks again after a failure, and keeps none', async () => {
    const { credential, asked } = identity(json({}, 500), json(good))
    await expect(credential.getToken(SCOPE)).rejects.toThrow('the identity endpoint answered 500')
    expect((await credential.getToken(SCOPE))?.token).toBe('token-1')
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['no token', { ...good, access_token: undefined }],
    ['an empty token', { ...good, access_token: '' }],
    ['a token that is no text', { ...good, access_token: 7 }],
    ['a token that is too long', { ...good, access_token: 'x'.repeat(16_385) }],
    ['no end', { ...good, expires_on: undefined }],
    ['an end that is a date', { ...good, expires_on: '2026-11-29' }],
    ['nothing', null],
  ])('refuses an answer with %s, and says nothing of what it has', async (_, answer) => {
    const { credential } = identity(json(answer))
    await expect(credential.getToken(SCOPE)).rejects.toThrow(/^the identity endpoint answered with no token$/)
  })

  it('says by its name that there is no identity here, and never will be', async () => {
    const missing = managedIdentity({ url: undefined, header: 'h' }, 'c', {
      fetch: async () => Response.json(good),
      now: () => 0,
    })
    const named = { name: 'CredentialUnavailableError' }
    await expect(missing.getToken(SCOPE)).rejects.toMatchObject(named)
    await expect(identity(json({ statusCode: 400 }, 400)).credential.getToken(SCOPE)).rejects.toMatchObject(
      named,
    )
  })

  it('has no token for two scopes at once', async () => {
    await expect(identity(json(good)).credential.getToken([SCOPE, SCOPE])).rejects.toThrow(RangeError)
  })
})
