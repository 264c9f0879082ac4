// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { MAX_ANSWER_BYTES } from '#core/api/limits.ts'
import { asDeploymentId, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { FIRST_ANSWER_MS, MAX_PROBLEM_BYTES, MIN_BYTES_PER_SECOND } from '#core/client/answer.ts'
import { readBody } from '#core/order/read-body.ts'
import { connect } from '#core/client/connect.ts'
import { MAX_ANSWER_VALUES } from '#core/client/ask-home.ts'
import type { HomeApi } from '#core/client/home-api.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const CHAIN = 'c'.repeat(43) as ChainId
const ROOT = 'r'.repeat(43) as Digest
const entry = { header: utf8('{}'), content: utf8('text'), compartment: 'general' }
const CHUNK = Buffer.alloc(64 * 1024, 0x20)

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void
const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
})

/** A server on this computer that behaves as told, and the connection of a client that takes it for its home. */
async function homeThat(behaves: Behaviour, world?: TestDeployment) {
  const deployment = world ?? (await testDeployment())
  const server = createServer(behaves)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const deadlines: { ms: number; stop: AbortController }[] = []
  const ports = deployment.connect('hospital-a').ports
  const connection = connect({
    ...ports,
    fetch: (request) => fetch(new Request(new URL(pathOf(request.url), base), request)),
    deadline: (ms) => {
      const stop = new AbortController()
      deadlines.push({ ms, stop })
      return stop.signal
    },
  })
  return { connection, api: connection.api, deadlines, base, world: deployment }
}

const pathOf = (url: string) => new URL(url).pathname + new URL(url).search

/** Sends without end, as fast as it is read; `ended` resolves once the other side has gone. */
function endless(status = 200, headers: Record<string, string> = {}) {
  const sent = { bytes: 0 }
  const gone = Promise.withResolvers<void>()
  const behaves: Behaviour = (_, response) => {
    response.writeHead(status, headers)
    response.on('close', () => gone.resolve())
    const more = () => {
      while (!response.destroyed) {
        sent.bytes += CHUNK.length
        if (!response.write(CHUNK)) break
      }
    }
    response.on('drain', more)
    more()
  }
  return { behaves, sent, ended: gone.promise }
}

const CALLS: readonly (readonly [string, number, (api: HomeApi) => Promise<unknown>])[] = [
  ['head', MAX_ANSWER_BYTES.statements, (api) => api.head(CHAIN)],
  ['blocks', MAX_ANSWER_BYTES.blocks, (api) => api.blocks(CHAIN, 0)],
  ['keyRow', MAX_ANSWER_BYTES.row, (api) => api.keyRow(CHAIN, `${ROOT}.${ROOT}`)],
  ['packages', MAX_ANSWER_BYTES.packages, (api) => api.packages(CHAIN)],
  ['erased', MAX_ANSWER_BYTES.erased, (api) => api.erased(CHAIN)],
  ['registryBlocks', MAX_ANSWER_BYTES.blocks, (api) => api.registryBlocks(0)],
  [
    'append',
    MAX_ANSWER_BYTES.statements,
    (api) => api.append({ block: 'b', row: null, packages: [], labelKey: null, object: null }),
  ],
]

describe('a home that answers without end', () => {
  it.each(CALLS)('is left after what %s may take', async (_, maxBytes, act) => {
    const { behaves, ended } = endless()
    const { api } = await homeThat(behaves)
    await expect(act(api)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: `the home answered with more than ${maxBytes} bytes`,
    })
    await ended
  })

  it('gives the part of an object that its block names, and no more', async () => {
    const { behaves, ended } = endless()
    const { api } = await homeThat(behaves)
    expect((await api.object(CHAIN, ROOT, 200_001))?.length).toBe(200_001)
    await ended
  })

  it('is left where what is answered is passed over', async () => {
    const { behaves, ended } = endless(201)
    const { api } = await homeThat(behaves)
    await api.addRegistryBlock('block')
    await ended
  })

  it('is left after what a problem document may have', async () => {
    const { behaves, sent, ended } = endless(403)
    const { api } = await homeThat(behaves)
    const refused = { code: 'UPSTREAM_FAILED', message: 'the home answered 403' }
    await expect(api.head(CHAIN)).rejects.toMatchObject(refused)
    await ended
    // Some more were on their way in the buffers of both sides.
    expect(sent.bytes).toBeLessThan(MAX_PROBLEM_BYTES + 16 * 1024 * 1024)
  })

  it('is measured by what its compressed answer becomes', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const { api } = await homeThat((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length })
      response.end(bomb)
    })
    expect(bomb.length).toBeLessThan(MAX_ANSWER_BYTES.statements)
    await expect(api.head(CHAIN)).rejects.toMatchObject({ message: expect.stringContaining('more than') })
  })

  it('is not parsed where its answer would become millions of objects', async () => {
    const text = `{"items":[${'{},'.repeat(MAX_ANSWER_VALUES)}{}],"next":null}`
    const { api } = await homeThat((_, response) => response.end(text))
    await expect(api.blocks(CHAIN, 0)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: `the home answered with more than ${MAX_ANSWER_VALUES} values`,
    })
  })

  it('is not read at all where it announces too much', async () => {
    const { api } = await homeThat((_, response) => {
      response.writeHead(200, { 'content-length': 1e12 })
      response.flushHeaders()
    })
    await expect(api.head(CHAIN)).rejects.toMatchObject({ message: expect.stringContaining('more than') })
  })

  it('pages without end neither through statements nor through a registry', async () => {
    const { api, connection } = await homeThat((request, response) => {
      response.end(JSON.stringify({ items: [], next: request.url?.includes('erased') ? 'x' : 7 }))
    })
    await expect(api.erased(CHAIN)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    await expect(connection.sync.refreshRegistry()).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: 'rule withheld: the home holds back blocks of the registry',
    })
    const page = JSON.stringify({ items: Array(200).fill('x'.repeat(8000)), next: 'x' })
    const full = await homeThat((_, response) => response.end(page))
    await expect(full.api.erased(CHAIN)).rejects.toMatchObject({
      message: expect.stringContaining('without end'),
    })
  })
})

describe('a home that hangs', () => {
  const LATE = { code: 'UPSTREAM_FAILED', message: 'the home did not answer in time' }

  it.each(CALLS)('before it answers ends %s at the first deadline', async (_, maxBytes, act) => {
    const gone = Promise.withResolvers<void>()
    const home = await homeThat((_request, response) => {
      response.on('close', () => gone.resolve())
      home.deadlines.at(-2)?.stop.abort()
    })
    await expect(act(home.api)).rejects.toMatchObject(LATE)
    await gone.promise
    const [first, last] = home.deadlines.map(({ ms }) => ms)
    expect(first).toBeGreaterThanOrEqual(FIRST_ANSWER_MS)
    expect(first).toBeLessThan(FIRST_ANSWER_MS + 1000)
    expect((last ?? 0) - (first ?? 0)).toBe(Math.ceil((maxBytes / MIN_BYTES_PER_SECOND) * 1000))
  })

  it.each(CALLS)('in the middle of its answer ends %s at the last deadline', async (_, _maxBytes, act) => {
    const gone = Promise.withResolvers<void>()
    const home = await homeThat((_request, response) => {
      response.on('close', () => gone.resolve())
      response.write('{"items":[', () => home.deadlines.at(-1)?.stop.abort())
    })
    await expect(act(home.api)).rejects.toMatchObject(LATE)
    await gone.promise
  })

  it('has more time where there is more to send', async () => {
    const home = await homeThat((_, response) => response.writeHead(500).end())
    const object = new Uint8Array(2 * MIN_BYTES_PER_SECOND)
    const append = { block: 'b', row: null, packages: [], labelKey: null, object }
    await expect(home.api.append(append)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    expect(home.deadlines[0]?.ms).toBeGreaterThan(FIRST_ANSWER_MS + 2000)
  })
})

describe('an append whose answer', () => {
  /** A home that does what it is asked, and whose answers to appends `spoil` may hold back. */
  async function appending(spoil: (response: ServerResponse, stop: () => void) => void) {
    const world = await testDeployment()
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
    let posts = 0
    const home = await homeThat((request, response) => {
      void forward(world, request).then(async (answer) => {
        if (request.method === 'POST' && ++posts === 1)
          return spoil(response, () => home.deadlines.at(-1)?.stop.abort())
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
        response.end(Buffer.from(await answer.arrayBuffer()))
        return undefined
      })
    }, world)
    const filed = await home.connection.append(record, [entry])
    return { filed, posts: () => posts, replica: await home.connection.replica(record) }
  }

  it.each([
    [
      'does not end in time',
      (response: ServerResponse, stop: () => void) => void response.write('{', () => stop()),
    ],
    ['has no end', (response: ServerResponse) => endless(201).behaves(undefined as never, response)],
    ['breaks off', (response: ServerResponse) => void response.write('{', () => response.destroy())],
  ])('%s is looked for on the chain, and not made twice', async (_, spoil) => {
    const { filed, posts, replica } = await appending(spoil)
    expect(posts()).toBe(1)
    expect(filed.map(({ block }) => block)).toEqual([replica.head.block])
    expect(replica.notes.filter(({ entries }) => entries !== null)).toHaveLength(1)
  })
})

async function forward(world: TestDeployment, request: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { method = 'GET', headers, url = '/' } = request
  const sent = new Headers()
  for (const name of ['authorization', 'content-type'] as const)
    if (headers[name] !== undefined) sent.set(name, headers[name])
  const body = method === 'POST' ? { body: Buffer.concat(chunks) } : {}
  return world.fetch(new Request(new URL(url, ORIGIN), { method, headers: sent, ...body }))
}

function streamOf(chunks: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

describe('reading a body', () => {
  it('gives its bytes, whatever the chunks, up to the limit and not one further', async () => {
    const never = new AbortController().signal
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 6 }),
        fc.nat(80_000),
        async (chunks, limit) => {
          const all = Buffer.concat(chunks)
          const response = () => new Response(streamOf(chunks))
          const cut = await readBody(response(), { maxBytes: limit, beyond: 'cut', who: 'it' }, never)
          expect(Buffer.compare(cut, all.subarray(0, limit))).toBe(0)
          const whole = await readBody(
            response(),
            { maxBytes: limit, beyond: 'fail', who: 'it' },
            never,
          ).catch(() => null)
          expect(whole === null).toBe(all.length > limit)
        },
      ),
    )
  })
})
