// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Append } from '#core/api/append.ts'
import { DIRECT_BYTES, MAX_RANGE_BYTES } from '#core/api/large/upload.ts'
import { appendSender } from '#core/client/large/send-append.ts'
import { fetchObject } from '#core/client/large/fetch-object.ts'
import type { ClientPorts } from '#core/client/client.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { MIB, noise, scene, unsent, type Scene } from '../server/upload/uploads.ts'

type Alter = (path: string, ask: () => Promise<Response>, request: Request) => Promise<Response>

let at: Scene
let large: Append & { readonly object: Uint8Array }
beforeAll(async () => {
  at = await scene()
  large = await unsent(at, noise(DIRECT_BYTES + MIB))
})

/** A client of the home whose answers are altered, and what it sent: method and path. */
function client(alter: Alter = async (_, ask) => ask(), outside?: Fetch) {
  const sent: string[] = []
  const fetch: Fetch = async (request) => {
    const path = new URL(request.url).pathname
    sent.push(`${request.method} ${path.replace(/\/uploads\/.*/, '/uploads/')}`)
    return alter(path, () => at.world.fetch(request), request)
  }
  const { ports } = at.world.connect('hospital-a', { fetch })
  const given: ClientPorts = outside ? { ...ports, outside } : ports
  return { sent, ports: given, append: appendSender(given) }
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status })
const problem = (code: string, status: number) =>
  json({ type: '/', title: '', status, code, detail: 'no', retryable: false, requestId: 'r' }, status)
/** Ends what is asked before anything is stored, so that one append serves many tests. */
const refuse: Alter = async (path, ask) => (path === '/v1/blocks' ? problem('BLOCK_REFUSED', 422) : ask())
const HOME_PATH = '/.well-known/ampere'

describe('a client with more than 4 MiB to append', () => {
  it('sends it whole where the home is older, or takes no uploads', async () => {
    for (const home of [
      {},
      { bodies: { maxRequestBytes: 32 * MIB, maxAnswerBytes: null, maxUploadBytes: null } },
    ]) {
      const { append, sent } = client(async (path, ask, request) =>
        path === HOME_PATH ? json(home) : refuse(path, ask, request),
      )
      await expect(append(large)).rejects.toMatchObject({ code: 'BLOCK_REFUSED' })
      expect(sent).toEqual([`GET ${HOME_PATH}`, 'POST /v1/blocks'])
    }
  })

  it('does so where nothing at all describes the home', async () => {
    const { append, sent } = client(async (path, ask, request) =>
      path === HOME_PATH ? problem('NOT_FOUND', 404) : refuse(path, ask, request),
    )
    await expect(append(large)).rejects.toMatchObject({ code: 'BLOCK_REFUSED' })
    expect(sent.at(-1)).toBe('POST /v1/blocks')
  })

  it('says so where the home takes it in no way, and sends nothing', async () => {
    for (const maxUploadBytes of [null, MIB]) {
      const bodies = { maxRequestBytes: DIRECT_BYTES, maxAnswerBytes: null, maxUploadBytes }
      const { append, sent } = client(async () => json({ bodies }))
      await expect(append(large)).rejects.toMatchObject({ code: 'TOO_LARGE' })
      expect(sent).toEqual([`GET ${HOME_PATH}`])
    }
  })

  it('asks what fits once, and brings an object once for a block that is signed again', async () => {
    const { append, sent } = client(refuse)
    for (const _ of ['first', 'again'])
      await expect(append(large)).rejects.toMatchObject({ code: 'BLOCK_REFUSED' })
    expect(sent).toEqual([
      `GET ${HOME_PATH}`,
      'POST /v1/uploads',
      'PUT /v1/uploads/',
      'POST /v1/blocks',
      'POST /v1/blocks',
    ])
  })

  it.each(['GONE', 'NOT_FOUND', 'PRECONDITION_FAILED', 'ALREADY_EXISTS'])(
    'brings it once more, and only once, where the upload is no longer good (%s)',
    async (code) => {
      const status = { GONE: 410, NOT_FOUND: 404, PRECONDITION_FAILED: 412, ALREADY_EXISTS: 409 }[code] ?? 400
      const { append, sent } = client(async (path, ask) =>
        path === '/v1/blocks' ? problem(code, status) : ask(),
      )
      await expect(append(large)).rejects.toMatchObject({ code })
      expect(sent.filter((one) => one === 'PUT /v1/uploads/')).toHaveLength(2)
      expect(sent.filter((one) => one === 'POST /v1/blocks')).toHaveLength(2)
    },
  )

  it.each([403, 410])('asks for another URL where one is no longer good (%i)', async (status) => {
    let puts = 0
    const { append, sent } = client(async (path, ask, request) => {
      if (request.method === 'PUT' && puts++ === 0) return problem('GONE', status)
      return refuse(path, ask, request)
    })
    await expect(append(large)).rejects.toMatchObject({ code: 'BLOCK_REFUSED' })
    expect(sent.slice(1, 5)).toEqual([
      'POST /v1/uploads',
      'PUT /v1/uploads/',
      'POST /v1/uploads',
      'PUT /v1/uploads/',
    ])
  })

  it.each([409, 412])('takes %i from a store for an object that is there', async (status) => {
    const { append, sent } = client(async (path, ask, request) =>
      request.method === 'PUT' ? new Response(null, { status }) : refuse(path, ask, request),
    )
    await expect(append(large)).rejects.toMatchObject({ code: 'BLOCK_REFUSED' })
    expect(sent.filter((one) => one.startsWith('PUT'))).toHaveLength(1)
  })

  it('takes the 403 with which Azure says that an object is there, and no other', async () => {
    const answering = (code: string) =>
      client(async (path, ask, request) =>
        request.method === 'PUT'
          ? new Response(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`, { status: 403 })
          : refuse(path, ask, request),
      )
    const there = answering('UnauthorizedBlobOverwrite')
    await expect(there.append(large)).rejects.toMatchObject({ code: 'BLOCK_REFUSED' })
    expect(there.sent.filter((one) => one.startsWith('PUT'))).toHaveLength(1)
    const denied = answering('AuthorizationPermissionMismatch')
    await expect(denied.append(large)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    expect(denied.sent.filter((one) => one.startsWith('PUT'))).toHaveLength(2)
  })

  it.each([
    ['a plain server', { url: 'http://10.0.0.1/x' }],
    ['this computer', { url: 'http://127.0.0.1:1/x' }],
    ['no place', { url: 'x' }],
    ['a file', { url: 'file:///etc/passwd' }],
    ['somebody’s account', { url: 'https://a:b@store.test/x' }],
    ['a store with headers of its choice', { headers: { authorization: 'Basic x' } }],
    ['a store that sets cookies', { headers: { cookie: 'a=b' } }],
    ['another method', { method: 'DELETE' }],
  ])('sends nothing to %s that a home names', async (_, change) => {
    const outside: string[] = []
    const { append, sent } = client(
      async (path, ask) =>
        path === '/v1/uploads' ? json({ ...((await (await ask()).json()) as object), ...change }) : ask(),
      async (request) => {
        outside.push(request.url)
        return new Response()
      },
    )
    await expect(append(large)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    expect([outside, sent.at(-1)]).toEqual([[], 'POST /v1/uploads'])
  })

  it('sends it to a store by https by the way that leads outside, with what the store wants and nothing of its own', async () => {
    const outside: { url: string; headers: Record<string, string>; bytes: number }[] = []
    const { append } = client(
      async (path, ask, request) => {
        if (path !== '/v1/uploads') return refuse(path, ask, request)
        const offered = (await (await ask()).json()) as object
        const headers = { 'x-amz-checksum-sha256': 'x', 'if-none-match': '*' }
        return json({ ...offered, url: 'https://store.test/x?signature=y', headers })
      },
      async (request) => {
        const bytes = (await request.arrayBuffer()).byteLength
        outside.push({ url: request.url, headers: Object.fromEntries(request.headers), bytes })
        return new Response()
      },
    )
    await expect(append(large)).rejects.toMatchObject({ code: 'BLOCK_REFUSED' })
    expect(outside).toEqual([
      {
        url: 'https://store.test/x?signature=y',
        headers: { 'x-amz-checksum-sha256': 'x', 'if-none-match': '*' },
        bytes: large.object.length,
      },
    ])
  })
})

describe('a client that reads an object', () => {
  const OBJECT = noise(2 * MAX_RANGE_BYTES, 3)
  /** A home that gives ranges as `give` says. */
  const reading = (give: (start: number, end: number) => Response) => {
    const asked: (string | null)[] = []
    const { ports } = client(async (_, __, request) => {
      const range = request.headers.get('range')
      asked.push(range)
      const [, start = '0', end = '0'] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
      return give(Number(start), Number(end) + 1)
    })
    return { asked, read: (max: number) => fetchObject(ports, '/v1/chains/x/objects/y', max) }
  }
  const part = (bytes: Uint8Array) => new Response(bytes as Uint8Array<ArrayBuffer>, { status: 206 })

  it('asks for ranges of at most 4 MiB, and stops where it ends, also where that is where a range ends', async () => {
    for (const length of [
      1,
      MAX_RANGE_BYTES - 1,
      MAX_RANGE_BYTES,
      MAX_RANGE_BYTES + 1,
      2 * MAX_RANGE_BYTES,
    ]) {
      const { asked, read } = reading((start, end) =>
        start >= length
          ? problem('RANGE_NOT_SATISFIABLE', 416)
          : part(OBJECT.subarray(start, Math.min(end, length))),
      )
      const bytes = await read(64 * MIB)
      expect(Buffer.from(bytes).equals(Buffer.from(OBJECT.subarray(0, length)))).toBe(true)
      expect(asked).toHaveLength(Math.floor(length / MAX_RANGE_BYTES) + 1)
    }
  })

  it('takes the whole from a home that gives no ranges', async () => {
    const { asked, read } = reading(() => new Response(OBJECT as Uint8Array<ArrayBuffer>))
    expect((await read(64 * MIB)).length).toBe(OBJECT.length)
    expect(asked).toHaveLength(1)
  })

  it('takes no more than it may, and of a range no more than it asked for', async () => {
    const { read } = reading((start) => part(OBJECT.subarray(start === 0 ? 0 : 1)))
    const bytes = await read(MAX_RANGE_BYTES + 10)
    expect(bytes.length).toBe(MAX_RANGE_BYTES + 10)
    expect(
      Buffer.from(bytes.subarray(0, MAX_RANGE_BYTES)).equals(
        Buffer.from(OBJECT.subarray(0, MAX_RANGE_BYTES)),
      ),
    ).toBe(true)
  })

  it('asks as ever for one that fits in an answer', async () => {
    const { asked, read } = reading(() => new Response(OBJECT.subarray(0, 10) as Uint8Array<ArrayBuffer>))
    expect(await read(MAX_RANGE_BYTES)).toHaveLength(10)
    expect(asked).toEqual([null])
  })
})
