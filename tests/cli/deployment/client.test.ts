// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { assertion, ecPair, rsaPair } from '#tests/core/token/clients.ts'
import { freshFolder, jsonOf, run, serveProcess, testPort, type Serving } from '../harness.ts'

const folder = freshFolder()
const key = ecPair('lab-key')
let serving: Serving | null = null
let jwks = ''

const ampere = async (...args: string[]) => {
  const ended = await run([...args, '--data', folder, '--json'])
  return { exit: ended.code, ...jsonOf(ended) } as Record<string, unknown>
}
const add = (...args: string[]) => ampere('client', 'add', 'lab-7', '--scopes', 'system/*.read', ...args)
const fileOf = (name: string, value: unknown) => {
  const file = join(dirname(folder), name)
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
  return file
}

beforeAll(async () => {
  jwks = fileOf('jwks.json', { keys: [key.jwk] })
  const made = await ampere(
    'init',
    '--institution',
    'st-marys=St Mary',
    '--port',
    testPort(81),
    '--passphrase',
    'generated',
  )
  expect(made['exit']).toBe(0)
}, 60_000)
afterAll(async () => {
  await serving?.stop()
})

describe('a client', () => {
  it('is registered, shown, suspended and removed', async () => {
    expect(await ampere('client', 'list')).toMatchObject({ exit: 0, items: [] })
    const added = await add('--name', 'Laboratory', '--jwks', jwks)
    expect(added).toMatchObject({
      exit: 0,
      replaced: false,
      id: 'lab-7',
      name: 'Laboratory',
      status: 'active',
      scopes: 'system/*.rs',
      keys: [{ kid: 'lab-key', alg: 'ES384' }],
      tokenEndpoint: `http://127.0.0.1:${testPort(81)}/st-marys/oauth/token`,
    })
    expect(await ampere('client', 'show', 'lab-7')).toMatchObject({ exit: 0, name: 'Laboratory' })
    expect(await ampere('client', 'suspend', 'lab-7')).toMatchObject({ changed: true, status: 'suspended' })
    expect(await ampere('client', 'suspend', 'lab-7')).toMatchObject({ changed: false, status: 'suspended' })
    const jwksUrl = 'https://lab.example/jwks.json'
    expect(await add('--jwks-url', jwksUrl)).toMatchObject({
      replaced: true,
      status: 'active',
      jwksUrl,
      keys: [],
    })
    expect(await ampere('client', 'remove', 'lab-7', '--no-input')).toMatchObject({ exit: 2 })
    expect(await ampere('client', 'remove', 'lab-7', '--yes')).toMatchObject({
      exit: 0,
      changed: true,
      last: true,
    })
    for (const verb of ['show', 'suspend', 'remove'])
      expect(await ampere('client', verb, 'lab-7')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
  }, 60_000)

  it.each([
    ['a private key', { keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: 'x' }] }, /is private/],
    ['a weak key', { keys: [rsaPair('x', 1024).jwk] }, /1024 bits/],
    ['no key', { keys: [] }, /no key/],
    ['two keys of one name', { keys: [key.jwk, ecPair('lab-key').jwk] }, /same kid/],
    ['no JSON', 'keys', /JSON/],
    ['no JWK set', [], /JWK set/],
  ])(
    'is not registered with %s',
    async (_, value, message) => {
      const refused = await add('--jwks', fileOf('bad.json', value))
      expect(refused).toMatchObject({
        exit: 1,
        code: 'CONFIGURATION',
        message: expect.stringMatching(message),
      })
      expect(await ampere('client', 'list')).toMatchObject({ items: [] })
    },
    30_000,
  )

  it.each([
    ['without keys', []],
    ['with two sources of keys', ['--jwks', 'a.json', '--jwks-url', 'https://a.example/b']],
    ['with keys at an http URL', ['--jwks-url', 'http://a.example/b']],
    ['with scopes that are none', ['--jwks-url', 'https://a.example/b', '--scopes', 'everything']],
    ['with malformed scopes', ['--jwks-url', 'https://a.example/b', '--scopes', 'system/observation.rs']],
  ])('is not registered %s', async (_, flags) => {
    expect(await add(...flags)).toMatchObject({ exit: 2 })
  })

  it('gets a token from a server that was running before it was registered, and loses it at once', async () => {
    const before = await serveProcess(['start', '--require-login', '--data', folder])
    serving = before
    const base = `${String(before.ready['origin'])}/st-marys`
    const read = (token: string) =>
      fetch(`${base}/fhir/Patient/p1`, { headers: token === '' ? {} : { authorization: `Bearer ${token}` } })
    expect((await read('')).status).toBe(401)
    await add('--jwks', jwks)
    const configuration = await fetch(`${base}/fhir/.well-known/smart-configuration`)
    const { token_endpoint: aud } = (await configuration.json()) as { token_endpoint: string }
    const answer = await fetch(aud, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'system/Patient.rs',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion(key, { client: 'lab-7', aud, nowMs: Date.now(), jti: 'first' }),
      }),
    })
    const { access_token: token } = (await answer.json()) as { access_token: string }
    expect((await read(token)).status).toBe(404)
    expect(await ampere('client', 'suspend', 'lab-7')).toMatchObject({ exit: 0, changed: true })
    expect((await read(token)).status).toBe(401)
  }, 60_000)
})
