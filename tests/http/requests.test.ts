// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { Hono } from 'hono'
import { LIMITS } from '#core/api/limits.ts'
import { authorize } from '#core/api/request.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { concat, uint32 } from '#core/bytes/frame.ts'
import { homeApp } from '#functions/all.ts'
import { HOME_OPERATIONS } from '#functions/roles.ts'
import { isStrict, type Operation } from '#functions/host/operation.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import * as reads from '#functions/reader/operations.ts'
import { addRegistryBlock } from '#functions/registrar/operations.ts'
import { appendBlock } from '#functions/writer/operations.ts'
import { makeSigner, ORIGIN } from '#tests/deployment.ts'
import { ask, requestFor, targetOf, type Asking } from './ask.ts'
import { converse, type Conversation } from './conversation.ts'

const operations = Object.values(HOME_OPERATIONS).flat()

describe('requests to the home', () => {
  let talk: Conversation
  beforeAll(async () => {
    talk = await converse()
  })
  const askingOf = (operation: Operation): Asking =>
    talk.exchanges.find((exchange) => exchange.operation === operation)?.asking ?? {}
  const problemOf = async (answer: Response) => {
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    return (await answer.json()) as { code: string; detail: string; status: number }
  }
  const plain = (target: string, init: RequestInit = {}) =>
    talk.world.fetch(new Request(new URL(target, ORIGIN), init))

  it('with another method are answered 405 and OPTIONS 204, both with the methods that there are', async () => {
    for (const operation of operations) {
      const target = targetOf(operation, askingOf(operation))
      const there = operations.filter(({ pattern }) => pattern === operation.pattern)
      const methods = new Set(there.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))
      const allowed = (answer: Response) => (answer.headers.get('allow') ?? '').split(', ').toSorted()
      const options = await plain(target, { method: 'OPTIONS' })
      expect({ status: options.status, allow: allowed(options) }).toEqual({
        status: 204,
        allow: [...methods, 'OPTIONS'].toSorted(),
      })
      for (const method of ['DELETE', 'PUT', 'PATCH', 'PROPFIND'].filter(
        (one) => !methods.has(one as 'PUT'),
      )) {
        const refused = await plain(target, { method })
        expect(allowed(refused)).toEqual([...methods, 'OPTIONS'].toSorted())
        expect(await problemOf(refused)).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 })
      }
    }
  })

  it('with HEAD are answered as GET without the body, and signed as GET', async () => {
    for (const operation of operations.filter(({ method }) => method === 'GET')) {
      const asking = askingOf(operation)
      const { url, headers } = await requestFor(talk.world, operation, asking)
      const [head, get] = [await plain(url, { method: 'HEAD', headers }), await plain(url, { headers })]
      const isRange = get.status === 206
      expect({ status: head.status, body: await head.text() }).toEqual({
        status: isRange ? 200 : get.status,
        body: '',
      })
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
    }
  })

  it('for no route are answered 404 with a problem, also where the home is mounted beside others', async () => {
    const { platform, home, clock, random } = talk.world
    const { app } = await homeApp(platform, home, { now: () => clock.now, random, log: () => {} })
    const root = new Hono().route('/', app)
    for (const target of ['/', '/v1', '/v1/blocks/', '/v1/chains', '/V1/blocks', '/problems/x', '/%']) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const answer = await root.fetch(new Request(new URL(target, ORIGIN), { method }))
        expect(await problemOf(answer)).toMatchObject({ code: 'NOT_FOUND', status: 404 })
      }
    }
  })

  it('with unknown or repeated query parameters are refused under /v1, and served elsewhere', async () => {
    for (const operation of operations) {
      const asking = askingOf(operation)
      for (const more of ['nonsense=1', 'limit=1&limit=1', 'From=0', '=']) {
        const { pathname } = new URL((await requestFor(talk.world, operation, asking)).url)
        const url = new URL(`${pathname}?${more}`, ORIGIN)
        const signer = talk.world.institution('hospital-a').instance
        const ports = { now: () => talk.world.clock.now, random: talk.world.random, signer }
        const authorization = await authorize({ method: 'GET', url, body: new Uint8Array(0) }, ports)
        const type = operation.body?.type ?? 'application/octet-stream'
        const answer = await plain(url.href, {
          method: operation.method,
          headers: { authorization, 'content-type': type },
          ...(asking.body ? { body: asking.body } : {}),
        })
        if (!isStrict(operation)) expect(answer.status).toBe(200)
        else expect(await problemOf(answer)).toMatchObject({ code: 'REQUEST_MALFORMED', status: 400 })
      }
    }
  })

  it.each([
    ['limit', '0'],
    ['limit', '501'],
    ['limit', '-1'],
    ['limit', '1.0'],
    ['limit', ''],
    ['from', '01'],
    ['from', '9007199254740992'],
    ['from', '99999999999999999999'],
    ['from', ' 1'],
  ])('with %s=%j are refused by the name of the parameter', async (name, value) => {
    const answer = await ask(talk.world, reads.readBlocks, {
      path: { chain: talk.record },
      query: { [name]: value },
    })
    expect(await problemOf(answer)).toMatchObject({ detail: `parameter ${name} is not of its form` })
  })

  it('with a URL over the limit are answered 414, which names the limit', async () => {
    const answer = await plain(`/v1/registry/blocks?from=${'1'.repeat(LIMITS.maxUrlCharacters.value)}`)
    const { code, detail } = await problemOf(answer)
    expect([code, detail]).toEqual([
      'URI_TOO_LONG',
      expect.stringContaining('8192 characters (maxUrlCharacters)'),
    ])
    expect(answer.headers.get('x-request-id')).toMatch(/^r_/)
  })

  it.each([appendBlock, addRegistryBlock])(
    'with a body over the limit are answered 413: $id',
    async (operation) => {
      const { limit, type } = operation.body
      const max = LIMITS[limit].value
      const chunk = new Uint8Array(64 * 1024)
      let sent = 0
      const stream = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (sent > max + 8 * chunk.length) return controller.close()
          controller.enqueue(chunk)
          sent += chunk.length
        },
      })
      const url = new URL(operation.pattern, ORIGIN)
      const init = { method: 'POST', headers: { 'content-type': type } }
      const streamed = await talk.world.fetch(
        new Request(url, { ...init, body: stream, duplex: 'half' } as RequestInit),
      )
      const stated = await talk.world.fetch(
        new Request(url, {
          ...init,
          headers: { ...init.headers, 'content-length': String(max + 1) },
          body: 'x',
        }),
      )
      for (const answer of [streamed, stated]) {
        const { code, detail } = await problemOf(answer)
        expect([code, detail]).toEqual(['TOO_LARGE', `the body is larger than ${max} bytes (${limit})`])
      }
      expect(sent).toBeLessThan(max + 4 * chunk.length)
    },
  )

  it.each([appendBlock, addRegistryBlock])(
    'of another type are answered 415, which says the type: $id',
    async (operation) => {
      const types = [{}, { 'content-type': 'application/json' }, { 'content-type': '' }]
      const encoded = { 'content-type': operation.body.type, 'content-encoding': 'gzip' }
      for (const headers of [...types, encoded] as Record<string, string>[]) {
        const url = new URL(operation.pattern, ORIGIN)
        const answer = await talk.world.fetch(
          new Request(url, { method: 'POST', headers, body: new Uint8Array(3) }),
        )
        expect(answer.headers.get('accept')).toBe(operation.body.type)
        expect(await problemOf(answer)).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE', status: 415 })
      }
    },
  )

  it('with a body that breaks off are answered 400', async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('reset')),
    })
    const init = {
      method: 'POST',
      headers: { 'content-type': appendBlock.body.type },
      body: stream,
      duplex: 'half',
    }
    const answer = await talk.world.fetch(new Request(new URL('/v1/blocks', ORIGIN), init))
    expect(await problemOf(answer)).toMatchObject({ code: 'REQUEST_MALFORMED' })
  })

  it('that bring an unknown member are refused, and its name is not said back', async () => {
    const json = utf8(JSON.stringify({ block: '', row: null, packages: [], labelKey: null, 'Ann Smith': 1 }))
    const answer = await ask(talk.world, appendBlock, { body: concat(uint32(json.length), json) })
    expect((await problemOf(answer)).detail).toBe('append: an unknown member')
  })

  it.each([
    [
      'the head is nested too deeply',
      `{"block":"[[[[","row":"\\"{{{{","packages":[{"x":${'['.repeat(4_000_000)}`,
    ],
    ['more than 512 packages', `{"block":"","row":null,"packages":[{}${',{}'.repeat(4_000_000)}]}`],
  ])('that open brackets by the million are refused before they are parsed: %s', async (why, head) => {
    const bytes = utf8(head)
    const answer = await ask(talk.world, appendBlock, { body: concat(uint32(bytes.length), bytes) })
    expect((await problemOf(answer)).detail).toBe(`append: ${why}`)
  })

  it('without a good signature are all answered 401, and told the scheme', async () => {
    const asking = { path: { chain: talk.record } }
    const good = (await requestFor(talk.world, reads.readHead, asking)).headers.get('authorization') ?? ''
    const stranger = await requestFor(talk.world, reads.readHead, {
      ...asking,
      signer: await makeSigner(talk.world.random),
    })
    const other = await requestFor(talk.world, reads.readErased, asking)
    const bad = [
      '',
      'Bearer x',
      'Ampere',
      'Ampere a.b.c',
      `${good.slice(0, -4)}AAAA`,
      `${good}.x`,
      stranger.headers.get('authorization') ?? '',
      other.headers.get('authorization') ?? '',
    ]
    for (const authorization of bad) {
      const answer = await plain(`/v1/chains/${talk.record}/head`, { headers: { authorization } })
      expect(answer.headers.get('www-authenticate')).toBe('Ampere')
      expect(await problemOf(answer)).toMatchObject({ code: 'UNAUTHORIZED', status: 401 })
    }
    expect((await plain(`/v1/chains/${talk.record}/head`, { headers: { authorization: good } })).status).toBe(
      200,
    )
  })

  it('get one line in the log, with the role and the pattern of the route that answered', async () => {
    const { platform, home, clock, random } = talk.world
    const lines: LogFields[] = []
    const log = (fields: LogFields) => void lines.push(fields)
    const { app } = await homeApp(platform, home, { now: () => clock.now, random, log })
    const answer = await app.fetch(
      await requestFor(talk.world, reads.readHead, { path: { chain: talk.record } }),
    )
    const requestId = answer.headers.get('x-request-id')
    expect(lines).toEqual([
      {
        event: 'request',
        role: 'reader',
        requestId,
        method: 'GET',
        route: '/v1/chains/:chain/head',
        status: 200,
        durationMs: 0,
      },
    ])
    await app.fetch(new Request(new URL('/v1/blocks', ORIGIN), { method: 'DELETE' }))
    expect(lines.slice(1).map(({ event, status }) => `${event} ${status}`)).toEqual([
      'problem 405',
      'request 405',
    ])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })
})
