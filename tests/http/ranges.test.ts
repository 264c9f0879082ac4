// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as reads from '#functions/reader/operations.ts'
import { ask, type Asking } from './ask.ts'
import { converse, type Conversation } from './conversation.ts'

describe('requests for an object', () => {
  let talk: Conversation
  let object: Asking
  beforeAll(async () => {
    talk = await converse()
    object = talk.exchanges.find(({ operation }) => operation === reads.readObject)?.asking ?? {}
  })
  const problemOf = async (answer: Response) => (await answer.json()) as { code: string }

  it.each([
    ['bytes=0-9', 206, 'bytes 0-9/*', 10],
    ['BYTES=5-5', 206, 'bytes 5-5/*', 1],
    ['bytes=10-', 206, null, null],
    ['bytes=0-999999999999999', 206, null, null],
    ['bytes=999999999-', 416, null, null],
    ['bytes=-5', 200, null, null],
    ['bytes=9-0', 200, null, null],
    ['bytes=0-1,3-4', 200, null, null],
    ['bytes=', 200, null, null],
    ['bytes=a-b', 200, null, null],
    ['lines=0-1', 200, null, null],
    ['bytes=0-9999999999999999999', 200, null, null],
  ] as const)('with Range %j for an object are answered %i', async (range, status, given, length) => {
    const whole = new Uint8Array(
      await (await ask(talk.world, reads.readObject, { path: object.path ?? {} })).arrayBuffer(),
    )
    const answer = await ask(talk.world, reads.readObject, { path: object.path ?? {}, headers: { range } })
    expect(answer.status).toBe(status)
    if (status === 416)
      return expect(await problemOf(answer)).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    const stated = /^bytes (\d+)-(\d+)\/\*$/.exec(answer.headers.get('content-range') ?? '')
    expect(stated === null).toBe(status === 200)
    const [start, end] = stated ? [Number(stated[1]), Number(stated[2]) + 1] : [0, whole.length]
    expect(Buffer.compare(bytes, whole.subarray(start, end))).toBe(0)
    if (given) expect([answer.headers.get('content-range'), bytes.length]).toEqual([given, length])
  })

  it('with If-Range get the part only of the representation that they name', async () => {
    const path = object.path ?? {}
    const etag = `"${path['root']}"`
    const statuses = [etag, '"other"', 'Wed, 25 Nov 2026 04:01:39 GMT'].map(async (ifRange) => {
      const headers = { range: 'bytes=0-1', 'if-range': ifRange }
      return (await ask(talk.world, reads.readObject, { path, headers })).status
    })
    expect(await Promise.all(statuses)).toEqual([206, 200, 200])
  })
})
