// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { AwsCall } from '#adapters/aws/clients/calls.ts'
import { PART_BYTES } from '#adapters/aws/objects.ts'
import { openAws } from '#adapters/aws/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { ShredObjects } from '#core/ports/objects.ts'
import { refuse, type No } from './fakes/fake-answers.ts'
import { fakeServer, type Asked, type FakeServer } from './fakes/fake-server.ts'
import { CREDENTIALS, describeOn, makeStack } from './stack.ts'

const same = (a: Uint8Array | null, b: Uint8Array) => a !== null && Buffer.from(a).equals(b)

describeOn('MiniStack', 'objects above 16 MB', () => {
  const held: { platform?: Platform; objects?: ShredObjects } = {}
  const calls: AwsCall[] = []
  beforeAll(async () => {
    const stack = await makeStack('MiniStack', { tables: [], buckets: ['entries'] })
    held.platform = stack.open({ observe: (call) => void calls.push(call) })
    held.objects = held.platform.objects('entries')
  })
  afterAll(async () => held.platform?.close())
  const objects = () => held.objects as ShredObjects

  it('are uploaded in parts, and read whole and by range', async () => {
    const bytes = randomBytes(2 * PART_BYTES + 1)
    calls.length = 0
    expect(await objects().store('large', bytes)).toBe('stored')
    expect(calls.map(({ operation }) => operation)).toEqual(Array.from({ length: 5 }, () => 's3:PutObject'))
    expect(same(await objects().fetch('large'), bytes)).toBe(true)
    const range = { start: PART_BYTES - 2, end: PART_BYTES + 2 }
    expect(same(await objects().fetch('large', range), bytes.subarray(range.start, range.end))).toBe(true)
  })

  it('are one request up to 16 MB', async () => {
    calls.length = 0
    await objects().store('just', randomBytes(PART_BYTES))
    expect(calls).toHaveLength(1)
  })

  it('change nothing that is there, and leave no upload behind', async () => {
    const bytes = randomBytes(PART_BYTES + 1)
    await objects().store('taken', Buffer.from('small'))
    calls.length = 0
    expect(await objects().store('taken', bytes)).toBe('exists')
    expect(calls.at(-1)?.operation).toBe('s3:AbortMultipartUpload')
    expect(same(await objects().fetch('taken'), Buffer.from('small'))).toBe(true)
  })
})

/** What the fake S3 says to each request in turn; after the last one everything is well. */
type Said = (asked: Asked, response: ServerResponse) => void
const no =
  (answer: No): Said =>
  (_, response) =>
    refuse('s3', response, answer)
const yes: Said = (asked, response) => {
  const isBegun = asked.url.includes('uploads')
  const isComplete = asked.method === 'POST' && !isBegun
  const xml = isBegun
    ? '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'
    : isComplete
      ? '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>'
      : ''
  response.writeHead(asked.method === 'DELETE' ? 204 : 200, {
    etag: '"e"',
    'content-type': 'application/xml',
  })
  response.end(xml)
}
const CONFLICT = no({ status: 409, name: 'ConditionalRequestConflict' })
const ABSENT = no({ status: 404, name: 'NoSuchKey' })

describe('objects in a fake S3', () => {
  const held: { server?: FakeServer; objects?: ShredObjects; platform?: Platform } = {}
  let said: Said[] = []
  let asked: Asked[] = []
  beforeAll(async () => {
    held.server = await fakeServer((request, response) => {
      asked.push(request)
      ;(said.shift() ?? yes)(request, response)
    })
    held.platform = openAws({
      region: 'eu-central-1',
      credentials: CREDENTIALS,
      endpoint: held.server.url,
      naming: { prefix: 'ampere', buckets: { entries: 'ampere-entries' }, keys: { kms: {} } },
    })
    held.objects = held.platform.objects('entries')
  })
  afterEach(() => {
    said = []
    asked = []
  })
  afterAll(async () => {
    await held.platform?.close()
    await held.server?.close()
  })
  const objects = () => held.objects as ShredObjects
  const methods = () => asked.map(({ method }) => method)

  it('are sent with their SHA-256, on the condition that there is none', async () => {
    const bytes = Buffer.from('content')
    await objects().store('name', bytes)
    const { headers, body } = asked[0] as Asked
    expect(headers['if-none-match']).toBe('*')
    expect(headers['x-amz-checksum-sha256']).toBe(createHash('sha256').update(bytes).digest('base64'))
    expect(body.equals(bytes)).toBe(true)
  })

  it('exist where S3 says 412', async () => {
    said = [no({ status: 412, name: 'PreconditionFailed' })]
    expect(await objects().store('name', Buffer.from('x'))).toBe('exists')
    expect(methods()).toEqual(['PUT'])
  })

  it('are looked for where another write went on, and exist only if they are there', async () => {
    said = [CONFLICT, yes]
    expect(await objects().store('name', Buffer.from('x'))).toBe('exists')
    expect(methods()).toEqual(['PUT', 'HEAD'])
    asked = []
    said = [CONFLICT, ABSENT, yes]
    expect(await objects().store('name', Buffer.from('x'))).toBe('stored')
    expect(methods()).toEqual(['PUT', 'HEAD', 'PUT'])
  })

  it('are given up after three tries', async () => {
    said = [CONFLICT, ABSENT, CONFLICT, ABSENT, CONFLICT, ABSENT]
    await expect(objects().store('name', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'others write or remove the same object; try again later',
    })
    expect(methods()).toEqual(['PUT', 'HEAD', 'PUT', 'HEAD', 'PUT', 'HEAD'])
  })

  it('above 16 MB are given up with their parts when a part or the end fails, and the failure is said', async () => {
    const bytes = new Uint8Array(PART_BYTES + 1)
    const failed = no({ status: 500, name: 'InternalError' })
    for (const script of [
      [yes, failed, yes, failed],
      [yes, yes, yes, failed],
    ]) {
      asked = []
      said = [...script]
      await expect(objects().store('name', bytes)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: 's3:PutObject failed',
      })
      expect(methods().at(-1)).toBe('DELETE')
      expect(asked.at(-1)?.url).toContain('uploadId=u')
    }
  })

  it('above 16 MB end on the condition that there is none', async () => {
    said = [yes, yes, yes, no({ status: 412, name: 'PreconditionFailed' })]
    expect(await objects().store('name', new Uint8Array(PART_BYTES + 1))).toBe('exists')
    expect(asked[3]?.headers['if-none-match']).toBe('*')
    expect(methods()).toEqual(['POST', 'PUT', 'PUT', 'POST', 'DELETE'])
  })

  it('are absent and not forbidden only to whom S3 says so', async () => {
    said = [ABSENT]
    expect(await objects().fetch('name')).toBeNull()
    said = [no({ status: 403, name: 'AccessDenied' })]
    await expect(objects().fetch('name')).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: 'AWS does not allow s3:GetObject on bucket ampere-entries: see the policy of this role',
    })
    said = [no({ status: 416, name: 'InvalidRange' })]
    expect(await objects().fetch('name', { start: 5, end: 9 })).toHaveLength(0)
  })

  it('have no bytes in a range of none, if they are there', async () => {
    said = [yes, ABSENT]
    expect(await objects().fetch('name', { start: 5, end: 5 })).toHaveLength(0)
    expect(await objects().fetch('name', { start: 5, end: 5 })).toBeNull()
    expect(methods()).toEqual(['HEAD', 'HEAD'])
  })
})
