// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { Hono } from 'hono'
import { sendLogFile } from '#functions/discovery/log.ts'
import { gunzipSync, gzipSync } from 'node:zlib'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { authorize } from '#core/api/request.ts'
import { logOriginOf } from '#core/api/log.ts'
import { compactHash, encodeLeaf } from '#core/block/leaf.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { formatVerifierKey, logKeyOfJwk } from '#core/log/note/key.ts'
import { parseNote } from '#core/log/note/note.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { parseTlogProof, verifyTlogProof } from '#core/log/tlog-proof.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { waitingFor } from '#tests/http/waiting.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const LOG = logOriginOf(ORIGIN)
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

describe('the log over HTTP', () => {
  let world: TestDeployment
  let connection: Connection
  let record: ChainId
  const get = (path: string, headers: Record<string, string> = {}) =>
    world.fetch(new Request(`${ORIGIN}${path}`, { headers }))
  const signed = async (path: string, by: 'hospital-a' | 'hospital-b' = 'hospital-a') => {
    const url = new URL(`${ORIGIN}${path}`)
    const ports = { now: () => world.clock.now, random: world.random, signer: world.institution(by).instance }
    const authorization = await authorize({ method: 'GET', url, body: new Uint8Array(0) }, ports)
    return world.fetch(new Request(url, { headers: { authorization } }))
  }
  const policy = async () => {
    const keys = [
      logKeyOfJwk(LOG, 'Ed25519', (await world.platform.signer('log')).publicKey),
      logKeyOfJwk(LOG, 'cosignature-ML-DSA-44', (await world.platform.signer('log-quantum')).publicKey),
    ]
    return parsePolicy(`${keys.map((key) => `log ${formatVerifierKey(key)}\n`).join('')}quorum none\n`)
  }

  beforeAll(async () => {
    world = await testDeployment(['hospital-a', 'hospital-b'])
    connection = world.connect('hospital-a')
    ;({ record } = await createRecord(connection, HOME, ['general']))
    await connection.append(record, [entry('one')])
  })

  it('has no checkpoint before it begins, and none is cached after a second', async () => {
    const fresh = await testDeployment(['hospital-a'])
    const ask = () => fresh.fetch(new Request(`${ORIGIN}/log/checkpoint`))
    expect((await ask()).status).toBe(404)
    await fresh.tendLog()
    const answer = await ask()
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'public, max-age=1',
    ])
    expect(parseCheckpoint(parseNote(await answer.text()).text)).toMatchObject({ origin: LOG, size: 1 })
  })

  it('serves tiles and bundles that never change, bundles gzipped for whoever takes it', async () => {
    await world.tendLog()
    const { size } = parseCheckpoint(parseNote(await (await get('/log/checkpoint')).text()).text)
    const tile = await get(`/log/tile/0/000.p/${size}`)
    expect([tile.status, tile.headers.get('content-type'), tile.headers.get('cache-control')]).toEqual([
      200,
      'application/octet-stream',
      'public, max-age=31536000, immutable',
    ])
    expect((await tile.arrayBuffer()).byteLength).toBe(size * 32)
    const plain = await get(`/log/tile/entries/000.p/${size}`)
    const zipped = await get(`/log/tile/entries/000.p/${size}`, { 'accept-encoding': 'br, gzip;q=0.5' })
    const bytes = new Uint8Array(await plain.arrayBuffer())
    // Few leaves are mostly hashes, which do not compress.
    expect(gzipSync(bytes).length).toBeGreaterThanOrEqual(bytes.length)
    expect([plain.headers.get('content-encoding'), zipped.headers.get('content-encoding')]).toEqual([
      null,
      null,
    ])
    expect(new Uint8Array(await zipped.arrayBuffer())).toEqual(bytes)
    expect(decodeBundle(bytes, size)).toHaveLength(size)
  })

  it('gzips a bundle where that is smaller', async () => {
    const bytes = new Uint8Array(1000)
    const app = new Hono().get('/', (c) => sendLogFile(c, 'tile/entries/000', bytes))
    const answer = await app.request('/', { headers: { 'accept-encoding': 'gzip' } })
    expect([answer.headers.get('content-encoding'), answer.headers.get('vary')]).toEqual([
      'gzip',
      'accept-encoding',
    ])
    expect(new Uint8Array(gunzipSync(new Uint8Array(await answer.arrayBuffer())))).toEqual(bytes)
  })

  it('says how long a checkpoint, a tile and a bundle are to who asks for their headers alone', async () => {
    await world.tendLog()
    const { size } = parseCheckpoint(parseNote(await (await get('/log/checkpoint')).text()).text)
    for (const path of ['checkpoint', `tile/0/000.p/${size}`, `tile/entries/000.p/${size}`].map(
      (name) => `/log/${name}`,
    )) {
      const whole = await get(path)
      const head = await world.fetch(new Request(`${ORIGIN}${path}`, { method: 'HEAD' }))
      expect([head.status, head.headers.get('content-length')]).toEqual([
        200,
        String((await whole.arrayBuffer()).byteLength),
      ])
      expect((await head.arrayBuffer()).byteLength).toBe(0)
    }
  })

  it('answers 304 to whoever has it, and 404 or 400 to what no log has', async () => {
    await world.tendLog()
    const checkpoint = await get('/log/checkpoint')
    const etag = checkpoint.headers.get('etag') ?? ''
    const again = await get('/log/checkpoint', { 'if-none-match': `"other", W/${etag}` })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
    const statuses = ['0/999', '0/000.p/255', '64/000', 'entries/x001/000', '0/0', '0/x001', 'staging'].map(
      async (path) => (await get(`/log/tile/${path}`)).status,
    )
    expect(await Promise.all(statuses)).toEqual([404, 404, 404, 404, 400, 400, 400])
  })

  it('gives each block a receipt that verifies with public keys alone', async () => {
    await world.tendLog()
    const { items } = await connection.api.blocks(record, 0)
    const replica = await connection.replica(record)
    for (const [height, compact] of items.entries()) {
      const answer = await signed(
        `/v1/receipts/${replica.notes[height]?.id}?chain=${record}&height=${height}`,
      )
      expect([answer.status, answer.headers.get('ampere-receipt')]).toEqual([200, 'logged'])
      const proof = parseTlogProof(await answer.text())
      const leaf = encodeLeaf({ label: proof.extra ?? new Uint8Array(0), hash: compactHash(compact) })
      const verified = await verifyTlogProof(proof, leaf, await policy(), createVerifiers())
      expect(verified.checkpoint.origin).toBe(LOG)
      expect(verified.signedBy.map(({ type }) => type)).toEqual(['Ed25519', 'cosignature-ML-DSA-44'])
    }
  })

  it('gives anybody the receipt of a block of the registry', async () => {
    await world.tendLog()
    const answer = await get('/v1/registry/0/receipt')
    expect([answer.status, parseTlogProof(await answer.text()).index]).toEqual([200, 0])
    expect((await get('/v1/registry/7/receipt')).status).toBe(404)
  })

  it('gives no receipt to who has no part in the chain, nor for a block that is elsewhere', async () => {
    await world.tendLog()
    const { notes } = await connection.replica(record)
    const path = (height: number) => `/v1/receipts/${notes[1]?.id}?chain=${record}&height=${height}`
    expect((await signed(path(1), 'hospital-b')).status).toBe(404)
    expect((await get(path(1))).status).toBe(401)
    expect((await signed(path(2))).status).toBe(404)
    expect((await signed(path(1))).status).toBe(200)
  })

  it('answers an append that waits for the log with its receipt', async () => {
    const { waiting, taken } = waitingFor(world, 'logged')
    await waiting.append(record, [entry('waits')])
    const [answer] = taken
    expect(answer?.status).toBe(201)
    const told = (await answer?.json()) as { receipt: string } | undefined
    expect(parseTlogProof(told?.receipt ?? '').extra).toHaveLength(32)
  })

  it('answers 202 with a link when nobody witnesses in time', async () => {
    const before = world.clock.now
    const { waiting, taken } = waitingFor(world, 'witnessed')
    await waiting.append(record, [entry('waits longer')])
    const [answer] = taken
    expect(answer?.status).toBe(202)
    expect(await answer?.json()).toMatchObject({ receipt: null })
    const link = answer?.headers.get('location') ?? ''
    expect((await signed(link)).headers.get('ampere-receipt')).toBe('logged')
    expect(world.clock.now - before).toBeGreaterThanOrEqual(20_000)
  })
})
