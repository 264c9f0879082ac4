// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { ecPair } from '#tests/core/token/clients.ts'
import {
  assertionOf,
  bodyOf,
  EC,
  JWT_BEARER,
  post,
  register,
  RSA,
  tokenWorld,
  type TokenWorld,
} from './world.ts'

let at: TokenWorld
beforeAll(async () => {
  at = await tokenWorld()
  await register(at.world)
})

const error = async (answer: Response) => ({ status: answer.status, error: (await bodyOf(answer))['error'] })

describe('whatever is sent', () => {
  const NAMES = ['grant_type', 'scope', 'client_assertion_type', 'client_assertion', 'client_id', 'token']
  const segment = fc.oneof(
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.constant(Buffer.from('{"alg":"ES384","kid":"ec-1"}').toString('base64url')),
    fc.string(),
  )
  const jwt = fc.array(segment, { maxLength: 4 }).map((segments) => segments.join('.'))
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('client_credentials', JWT_BEARER),
    jwt,
  )

  it('is answered as OAuth says: no token, no fault of ours, and words that may stand there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('token', 'introspect', 'revoke'),
        fc.dictionary(fc.constantFrom(...NAMES), value),
        async (path, changed) => {
          const answer = await post(
            at,
            { grant_type: 'client_credentials', client_assertion: '', ...changed },
            { path },
          )
          expect(answer.status).toBe(400)
          const body = await bodyOf(answer)
          expect(body['error']).toMatch(/^(invalid_(request|client|scope)|unsupported_grant_type)$/)
          expect(body['error_description']).toMatch(/^[ !#-[\]-~]+$/)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('gets no token while the table does not answer, and one afterwards', async () => {
    const faulty = withFaults(openMemory())
    const by = await tokenWorld({ table: faulty.platform.table('bridge') })
    await register(by.world)
    for (let k = 0; ; k++) {
      faulty.plan(failAt(k, 'applied-unknown'))
      const answer = await post(by)
      if (faulty.calls().length <= k) {
        expect([k, answer.status]).toEqual([2, 200])
        break
      }
      expect(answer.headers.get('retry-after')).toBe('1')
      expect(await error(answer)).toEqual({ status: 503, error: 'temporarily_unavailable' })
    }
  })
})

describe('keys at a URL', () => {
  const jku = 'https://ehr.test/jwks.json'
  const published = () => {
    const asked: string[] = []
    const outside = async (request: Request) => {
      asked.push(request.url)
      return Response.json({ keys: [EC.jwk, { ...RSA.jwk, use: 'enc' }] })
    }
    return { asked, outside }
  }

  it('are asked for at the registered URL, and kept', async () => {
    const { asked, outside } = published()
    const by = await tokenWorld({ outside })
    await register(by.world, { jwksUrl: jku })
    expect((await post(by)).status).toBe(200)
    expect((await post(by, { client_assertion: assertionOf(by, { header: { jku } }) })).status).toBe(200)
    expect(asked).toEqual([jku])
    // A key that is for encryption signs nothing.
    expect((await post(by, { client_assertion: assertionOf(by, { pair: RSA }) })).status).toBe(400)
  })

  it('are never asked for anywhere else', async () => {
    const { asked, outside } = published()
    const by = await tokenWorld({ outside })
    await register(by.world, { jwksUrl: jku })
    const evil = ecPair('ec-1')
    const header = { jku: 'https://evil.test/jwks.json' }
    const answer = await post(by, { client_assertion: assertionOf(by, { pair: evil, header }) })
    expect(await error(answer)).toEqual({ status: 400, error: 'invalid_client' })
    expect(asked).toEqual([])
  })

  it('that cannot be had are said to the client', async () => {
    const by = await tokenWorld()
    await register(by.world, { jwksUrl: jku })
    const answer = await post(by)
    expect(answer.status).toBe(400)
    expect(await bodyOf(answer)).toMatchObject({
      error: 'invalid_client',
      error_description: 'the key set of the client cannot be reached',
    })
  })
})
