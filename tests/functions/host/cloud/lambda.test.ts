// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { changedRows } from '#adapters/aws/rows/changes.ts'
import { AmpereError } from '#core/errors.ts'
import type { WokenBy } from '#functions/host/cloud/hosted.ts'
import { lambdaHandler, requestOf, resultOf, type HttpEvent } from '#functions/host/cloud/lambda.ts'
import { silentLog } from '#functions/host/telemetry.ts'

const ORIGIN = 'https://home.test'
const event = (given: Partial<HttpEvent> & { readonly method?: string } = {}): HttpEvent => ({
  version: '2.0',
  rawPath: '/v1/blocks',
  rawQueryString: '',
  headers: {},
  requestContext: { http: { method: given.method ?? 'GET' } },
  ...given,
})
const log = { log: silentLog, changedRows }

describe('a request of an HTTP API', () => {
  it('has the bytes, the query and the headers that its client sent, under the origin of the home', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const body = Buffer.from(bytes).toString('base64')
        const headers = {
          host: 'abc.execute-api.example',
          'content-type': 'application/x',
          'content-length': '9',
        }
        const given = { method: 'POST', body, isBase64Encoded: true, headers, rawQueryString: 'a=%20b&c' }
        const request = requestOf(event(given), ORIGIN)
        expect(request.url).toBe(`${ORIGIN}/v1/blocks?a=%20b&c`)
        expect(request.headers.get('content-type')).toBe('application/x')
        expect(request.headers.get('content-length')).toBe(String(bytes.length))
        expect(new Uint8Array(await request.arrayBuffer())).toEqual(new Uint8Array(bytes))
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    ['/a b', '/a%20b'],
    ['/a?b#c', '/a%3Fb%23c'],
    ['//evil.test/x', '//evil.test/x'],
    ['@evil.test', '/@evil.test'],
    ['/ä', '/%C3%A4'],
  ])('stays at the origin whatever its path is: %s', (rawPath, path) => {
    const url = new URL(requestOf(event({ rawPath }), ORIGIN).url)
    expect([url.origin, url.pathname, url.search]).toEqual([ORIGIN, path, ''])
  })

  it('without a body has none, and a text is its UTF-8 bytes', async () => {
    expect(requestOf(event(), ORIGIN).body).toBeNull()
    const text = requestOf(event({ method: 'POST', body: 'Grüße' }), ORIGIN)
    expect(await text.text()).toBe('Grüße')
  })

  it('is refused where it cannot be one', () => {
    const bad = event({ headers: { 'x y': '1' } })
    expect(() => requestOf(bad, ORIGIN)).toThrow(expect.objectContaining({ code: 'REQUEST_MALFORMED' }))
  })
})

describe('an answer to an HTTP API', () => {
  const typed = (bytes: Uint8Array<ArrayBuffer> | string, type: string) =>
    new Response(bytes, { headers: { 'content-type': type } })
  const bytesOf = ({ body, isBase64Encoded }: { body: string; isBase64Encoded: boolean }) =>
    new Uint8Array(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'))

  it('gives back the same bytes, whatever they are said to be', async () => {
    const types = ['application/json', 'text/plain', 'application/octet-stream', 'application/problem+json']
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...types), async (bytes, type) => {
        const result = await resultOf(typed(new Uint8Array(bytes), type))
        expect(bytesOf(result)).toEqual(new Uint8Array(bytes))
      }),
    )
    const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)
    expect(bytesOf(await resultOf(typed(marked, 'text/plain')))).toEqual(marked)
  })

  it('has no body where its status allows none', async () => {
    expect(await resultOf(new Response(null, { status: 304, headers: { etag: '"a"' } }))).toMatchObject({
      statusCode: 304,
      headers: { etag: '"a"' },
      body: '',
    })
  })

  it.each(['application/octet-stream', 'application/json'])(
    'of %s that Lambda would refuse is a problem that says what to do',
    async (type) => {
      const result = await resultOf(typed('x'.repeat(6_300_000), type))
      expect(JSON.parse(result.body)).toMatchObject({ code: 'UNSUPPORTED', retryable: false })
    },
  )
})

describe('a Lambda handler', () => {
  it('opens its role once, answers requests, and gives nothing back when it is woken', async () => {
    let opened = 0
    const woken: WokenBy[] = []
    const handler = lambdaHandler(
      async () => {
        opened++
        return {
          answer: (request) => new Response(new URL(request.url).pathname),
          wake: async (by) => void woken.push(by),
        }
      },
      () => ORIGIN,
      log,
    )
    expect(await handler(event())).toMatchObject({ statusCode: 200 })
    const Keys = { pk: { S: 'A' }, sk: { S: '2026-11-23T14:05:00.000Z/A/b' } }
    expect(await handler({ Records: [{ eventName: 'INSERT', dynamodb: { Keys } }] })).toBeNull()
    expect(await handler({ source: 'aws.events' })).toBeNull()
    const row = { partition: 'A', key: '2026-11-23T14:05:00.000Z/A/b' }
    expect([opened, woken]).toEqual([1, [[row], 'schedule']])
  })

  it('acts as on schedule where it cannot read what it was woken by', async () => {
    const woken: WokenBy[] = []
    const handler = lambdaHandler(
      async () => ({ wake: async (by) => void woken.push(by) }),
      () => ORIGIN,
      log,
    )
    const Keys = { pk: { S: 'A' }, sk: { S: 'k' } }
    for (const records of ['none', [{}], [null], [{ dynamodb: { Keys } }, { dynamodb: { Keys: { pk: 1 } } }]])
      await handler({ Records: records })
    expect(woken).toEqual(['schedule', 'schedule', 'schedule', 'schedule'])
  })

  it('is opened anew after it could not be, and says meanwhile what is wrong', async () => {
    let failing = true
    const handler = lambdaHandler(
      async () => {
        if (failing) throw new AmpereError('STORE_UNAVAILABLE', 'the store does not answer')
        return { answer: () => new Response('ok') }
      },
      () => ORIGIN,
      log,
    )
    expect(await handler(event())).toMatchObject({ statusCode: 503 })
    failing = false
    expect(await handler(event())).toMatchObject({ statusCode: 200 })
  })

  it('shows nothing of an error that nobody foresaw', async () => {
    const handler = lambdaHandler(
      async () => ({
        answer: () => {
          throw new TypeError('Mrs. Example')
        },
      }),
      () => ORIGIN,
      log,
    )
    const result = await handler(event())
    expect(result?.statusCode).toBe(500)
    expect(result?.body).not.toContain('Example')
  })

  it('fails, for whoever woke it to try again, when its role fails, and when that is not to be woken', async () => {
    const failing = async (): Promise<void> => {
      throw new AmpereError('STORE_UNAVAILABLE', 'the store does not answer')
    }
    const handler = lambdaHandler(
      async () => ({ wake: failing }),
      () => ORIGIN,
      log,
    )
    await expect(handler({})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await handler(event())).toMatchObject({ statusCode: 404 })
    const answering = lambdaHandler(
      async () => ({ answer: () => new Response('') }),
      () => ORIGIN,
      log,
    )
    await expect(answering({})).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})
