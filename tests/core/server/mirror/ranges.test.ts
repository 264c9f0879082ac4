// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { MAX_RANGE_BYTES } from '#core/api/large/upload.ts'
import { generateSoftwareSigner } from '#core/crypto/signature.ts'
import { fetchedInRanges } from '#core/server/mirror/ask-home.ts'
import { MIB, noise } from '../upload/uploads.ts'

const OBJECT = noise(2 * MAX_RANGE_BYTES, 3)
const URL_OF_IT = new URL('http://home.test/v1/chains/x/objects/y')

/** Asks a home that gives ranges as `give` says. */
async function reading(maxBytes: number, give: (start: number, end: number) => Response) {
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
  const asked: (string | null)[] = []
  const fetch = async (request: Request) => {
    expect(request.headers.get('authorization')).not.toBeNull()
    const range = request.headers.get('range')
    asked.push(range)
    const [, start = '0', end = '0'] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    return give(Number(start), Number(end) + 1)
  }
  const signer = await generateSoftwareSigner('ES256', random)
  const asking = { fetch, now: () => 0, random, signer, deadline: (ms: number) => AbortSignal.timeout(ms) }
  return { asked, read: () => fetchedInRanges(asking, URL_OF_IT, maxBytes) }
}

const ranges = (length: number) => (start: number, end: number) =>
  start >= length
    ? new Response(null, { status: 416 })
    : new Response(OBJECT.slice(start, Math.min(end, length)), { status: 206 })

describe('a mirror that reads an object', () => {
  it.each([1, MAX_RANGE_BYTES - 1, MAX_RANGE_BYTES, MAX_RANGE_BYTES + 1, 2 * MAX_RANGE_BYTES])(
    'of %i bytes asks for what every home lets pass, and stops at its end',
    async (length) => {
      const { asked, read } = await reading(64 * MIB, ranges(length))
      expect(Buffer.from((await read()) ?? []).equals(Buffer.from(OBJECT.subarray(0, length)))).toBe(true)
      expect(asked).toHaveLength(Math.floor(length / MAX_RANGE_BYTES) + 1)
    },
  )

  it('takes the whole from a home that gives no ranges, and null from one that has nothing', async () => {
    const whole = await reading(64 * MIB, () => new Response(OBJECT as Uint8Array<ArrayBuffer>))
    expect((await whole.read())?.length).toBe(OBJECT.length)
    for (const status of [404, 410])
      expect(await (await reading(MIB, () => new Response(null, { status }))).read()).toBeNull()
  })

  it('takes no more than it may have', async () => {
    const max = MAX_RANGE_BYTES + 10
    const { read } = await reading(max, ranges(max + 1))
    await expect(read()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    const exact = await reading(max, ranges(max))
    expect((await exact.read())?.length).toBe(max)
  })
})
