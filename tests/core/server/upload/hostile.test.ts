// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { encodeAppend } from '#core/api/append.ts'
import { MAX_UPLOADED_BYTES, MAX_UPLOADS, UPLOAD_LIFE_MS, UPLOAD_URL_MS } from '#core/api/large/upload.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select } from '#core/ports/needs.ts'
import { SWEEPER_NEEDS } from '#core/server/sweep/needs.ts'
import { sweepUploads } from '#core/server/upload/sweep-uploads.ts'
import { UPLOADS_PARTITION } from '#core/server/upload/offers.ts'
import { appendBlock } from '#functions/writer/operations.ts'
import { makeSigner } from '#tests/deployment.ts'
import { ask } from '#tests/http/ask.ts'
import {
  appendUploaded,
  hashOf,
  HOME,
  offer,
  offered,
  outcome,
  put,
  scene,
  shareWithB,
  unsent,
  type Scene,
} from './uploads.ts'

let at: Scene
beforeEach(async () => {
  at = await scene()
})

const read = async () => (await at.world.connect('hospital-a').read(at.record)).opened
const rows = async () => at.world.platform.table('quotas').range(UPLOADS_PARTITION)
const sweep = async () => sweepUploads(await select(at.world.platform, SWEEPER_NEEDS))
const stored = async (upload: string, owner = 'hospital-a') =>
  at.world.platform.objects('uploads').fetch(`${owner}.${upload}`)

describe('an upload', () => {
  it('is appended by its block, once, and is gone from where it waited', async () => {
    const append = await unsent(at)
    const to = await offered(at.world, at.record, append.object)
    expect(await stored(to.upload)).toBeNull()
    expect(await outcome(await put(at.world, to, append.object))).toBe('201')
    expect(await outcome(await put(at.world, to, append.object))).toBe('200')
    expect(await outcome(await appendUploaded(at.world, append, to.upload))).toBe('201')
    expect(await stored(to.upload)).toBeNull()
    expect(await read()).toHaveLength(1)
    // The same block again is success, whatever it names; another one may not bring the same upload.
    expect(await outcome(await appendUploaded(at.world, append, to.upload))).toBe('201')
    expect(await outcome(await appendUploaded(at.world, append, 'A'.repeat(22)))).toBe('201')
    const other = await unsent(at)
    expect(await outcome(await appendUploaded(at.world, other, to.upload))).toBe('409 ALREADY_EXISTS')
    expect(await outcome(await put(at.world, to, append.object))).toBe('410 GONE')
    expect(await read()).toHaveLength(1)
  })

  it('keeps its id while it is asked for again, and takes no more of the quota', async () => {
    const append = await unsent(at)
    const first = await offered(at.world, at.record, append.object)
    at.world.clock.now += 1000
    const second = await offered(at.world, at.record, append.object)
    expect(second.upload).toBe(first.upload)
    expect(second.url).not.toBe(first.url)
    expect(JSON.parse(new TextDecoder().decode((await rows())[0]?.value))).toMatchObject({
      offers: [{ id: first.upload }],
    })
    for (const to of [first, second]) expect((await put(at.world, to, append.object)).ok).toBe(true)
  })

  it('is named by an append that brings no object itself', async () => {
    const append = await unsent(at)
    const to = await offered(at.world, at.record, append.object)
    const body = encodeAppend({ ...append, upload: to.upload })
    expect(await outcome(await ask(at.world, appendBlock, { body }))).toBe('400 REQUEST_MALFORMED')
  })

  it('that nobody put there yet is said to be missing, and may come later', async () => {
    const append = await unsent(at)
    const to = await offered(at.world, at.record, append.object)
    expect(await outcome(await appendUploaded(at.world, append, to.upload))).toBe('412 PRECONDITION_FAILED')
    await put(at.world, to, append.object)
    expect(await outcome(await appendUploaded(at.world, append, to.upload))).toBe('201')
  })

  it.each([
    ['other bytes', (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1)],
    ['more bytes', (bytes: Uint8Array) => Uint8Array.of(...bytes, 0)],
    ['fewer bytes', (bytes: Uint8Array) => bytes.subarray(1)],
    ['no bytes', () => new Uint8Array(0)],
  ])('refuses %s, and stays open for its own', async (_, change) => {
    const append = await unsent(at)
    const to = await offered(at.world, at.record, append.object)
    expect(await outcome(await put(at.world, to, change(append.object)))).toBe('422 VERIFICATION_FAILED')
    expect(await stored(to.upload)).toBeNull()
    expect(await outcome(await put(at.world, to, append.object))).toBe('201')
  })

  it('of another object than the block names is refused with the block, and left for the right one', async () => {
    const append = await unsent(at)
    const other = await unsent(at, utf8('other'))
    const to = await offered(at.world, at.record, other.object)
    await put(at.world, to, other.object)
    expect(await outcome(await appendUploaded(at.world, append, to.upload))).toBe('422 BLOCK_REFUSED')
    expect(await outcome(await appendUploaded(at.world, other, to.upload))).toBe('201')
  })

  it('into which a store let other bytes is removed with the first append, and can be asked for anew', async () => {
    const append = await unsent(at)
    const to = await offered(at.world, at.record, append.object)
    await at.world.platform.objects('uploads').store(
      `hospital-a.${to.upload}`,
      append.object.map((byte) => byte ^ 1),
    )
    expect(await outcome(await appendUploaded(at.world, append, to.upload))).toBe('422 BLOCK_REFUSED')
    expect(await stored(to.upload)).toBeNull()
    const anew = await offered(at.world, at.record, append.object)
    expect(anew.upload).not.toBe(to.upload)
    await put(at.world, anew, append.object)
    expect(await outcome(await appendUploaded(at.world, append, anew.upload))).toBe('201')
  })

  it('of somebody else, or for another chain, is as unknown as one that never was', async () => {
    await shareWithB(at)
    const append = await unsent(at)
    const { instance } = at.world.institution('hospital-b')
    const ofB = await offered(at.world, at.record, append.object, instance)
    await put(at.world, ofB, append.object)
    const { record: elsewhere } = await createRecord(at.a, HOME, ['general'])
    const ofOther = await offered(at.world, elsewhere, append.object)
    await put(at.world, ofOther, append.object)
    for (const upload of [ofB.upload, ofOther.upload, 'A'.repeat(22)])
      expect(await outcome(await appendUploaded(at.world, append, upload))).toBe('404 NOT_FOUND')
    for (const upload of ['', '..', 'A', `${'A'.repeat(21)}/`])
      expect(await outcome(await appendUploaded(at.world, append, upload))).toBe('400 REQUEST_MALFORMED')
    expect(await read()).toHaveLength(0)
  })

  it('is offered to nobody who may not append, and tells strangers nothing', async () => {
    const asked = { chain: at.record, bytes: 10, sha256: hashOf(utf8('x')) }
    const { instance } = at.world.institution('hospital-b')
    const unknown = { ...asked, chain: 'A'.repeat(43) as typeof at.record }
    expect(await outcome(await offer(at.world, asked, instance))).toBe('404 NOT_FOUND')
    expect(await outcome(await offer(at.world, unknown, instance))).toBe('404 NOT_FOUND')
    for (const signer of [null, await makeSigner(at.world.random)])
      for (const one of [asked, unknown])
        expect(await outcome(await offer(at.world, one, signer))).toBe('401 UNAUTHORIZED')
    expect(await rows()).toEqual([])
  })

  it('is not offered for nothing, too much, or what is not asked for in its form', async () => {
    const asked = { chain: at.record, bytes: 10, sha256: hashOf(utf8('x')) }
    for (const odd of [
      { bytes: 0 },
      { bytes: -1 },
      { bytes: 1.5 },
      { sha256: 'x' },
      { more: 1 },
      { chain: '..' },
    ])
      expect(await outcome(await offer(at.world, { ...asked, ...odd } as never))).toBe(
        '400 REQUEST_MALFORMED',
      )
    expect(await outcome(await offer(at.world, { ...asked, bytes: 33 * 1024 * 1024 }))).toBe('413 TOO_LARGE')
  })
})

describe('the URL of an upload', () => {
  it('is refused with anything about it changed', async () => {
    const { object } = await unsent(at)
    const to = await offered(at.world, at.record, object)
    const url = new URL(to.url)
    const other = 'A'.repeat(22)
    const changes = [
      { bytes: '1' },
      { sha256: hashOf(utf8('x')) },
      { expires: String(Number(url.searchParams.get('expires')) + 1) },
      { signature: 'A'.repeat(43) },
    ].map((change) => {
      const copy = new URL(url)
      for (const [name, value] of Object.entries(change)) copy.searchParams.set(name, value)
      return copy.href
    })
    changes.push(to.url.replace(to.upload, other), to.url.replace('hospital-a.', 'hospital-b.'))
    for (const one of changes)
      expect(await outcome(await put(at.world, { ...to, url: one }, object))).toBe('403 FORBIDDEN')
    expect(await stored(to.upload)).toBeNull()
  })

  it.each([
    '/v1/uploads/../blocks',
    '/v1/uploads/..%2f..%2fentries%2fx',
    '/v1/uploads/%2e%2e',
    '/v1/uploads/hospital-a.%2e%2e%2f',
    '/v1/uploads/jobs%2fhospital-a%2fx',
    '/v1/uploads/hospital-a.AAAAAAAAAAAAAAAAAAAAA%00',
  ])('that leads elsewhere, as %s, is none', async (path) => {
    const { object } = await unsent(at)
    const to = await offered(at.world, at.record, object)
    const url = new URL(path + new URL(to.url).search, to.url).href
    expect(await outcome(await put(at.world, { ...to, url }, object))).toMatch(/^(400|404|405) /)
  })

  it('expires long before its upload, which can then be put under a new one', async () => {
    const { object, ...append } = await unsent(at)
    const to = await offered(at.world, at.record, object)
    at.world.clock.now += UPLOAD_URL_MS + 1
    expect(await outcome(await put(at.world, to, object))).toBe('410 GONE')
    const again = await offered(at.world, at.record, object)
    expect(again.upload).toBe(to.upload)
    expect(await outcome(await put(at.world, again, object))).toBe('201')
    expect(append.upload).toBeUndefined()
  })
})

describe('uploads that nobody appends', () => {
  it('end after their time, with what was uploaded, and leave nothing', async () => {
    const append = await unsent(at)
    const to = await offered(at.world, at.record, append.object)
    await put(at.world, to, append.object)
    expect(await sweep()).toBe(0)
    at.world.clock.now += UPLOAD_LIFE_MS
    const late = await unsent(at)
    expect(await outcome(await appendUploaded(at.world, { ...late, object: append.object }, to.upload))).toBe(
      '410 GONE',
    )
    expect(await sweep()).toBe(1)
    expect(await stored(to.upload)).toBeNull()
    expect(await rows()).toEqual([])
    expect(await outcome(await appendUploaded(at.world, late, to.upload))).toBe('404 NOT_FOUND')
    // Asked for anew it is another one, which works.
    const anew = await offered(at.world, at.record, late.object)
    await put(at.world, anew, late.object)
    expect(await outcome(await appendUploaded(at.world, late, anew.upload))).toBe('201')
  })

  it('are bounded in number, however many are asked for at once, and room comes back', async () => {
    const askFor = (length: number, from: number) =>
      Array.from({ length }, async (_, i) => {
        const bytes = utf8(`object ${from + i}`)
        return outcome(
          await offer(at.world, { chain: at.record, bytes: bytes.length, sha256: hashOf(bytes) }),
        )
      })
    for (let from = 0; from < 60; from += 10)
      for (const done of await Promise.all(askFor(10, from))) expect(done).toBe('201')
    const more = await Promise.all(askFor(20, 1000))
    expect(more.filter((one) => one === '201')).toHaveLength(MAX_UPLOADS - 60)
    expect(more.filter((one) => one === '429 LIMIT_EXCEEDED')).toHaveLength(20 - (MAX_UPLOADS - 60))
    const bytes = utf8('one more')
    const answer = await offer(at.world, { chain: at.record, bytes: bytes.length, sha256: hashOf(bytes) })
    expect([answer.status, answer.headers.get('ratelimit-policy')]).toEqual([429, '"uploads";q=64;w=3600'])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await rows())[0]?.value.length).toBeLessThan(64 * 1024)
    at.world.clock.now += UPLOAD_LIFE_MS
    expect((await offered(at.world, at.record, bytes)).upload).toHaveLength(22)
  })

  it('are bounded in bytes together', async () => {
    const size = 32 * 1024 * 1024
    for (let i = 0; i < MAX_UPLOADED_BYTES / size; i++) {
      const asked = { chain: at.record, bytes: size, sha256: hashOf(utf8(String(i))) }
      expect(await outcome(await offer(at.world, asked))).toBe('201')
    }
    const answer = await offer(at.world, { chain: at.record, bytes: 1, sha256: hashOf(utf8('x')) })
    expect([answer.status, answer.headers.get('ratelimit-policy')]).toEqual([
      429,
      '"uploads-bytes";q=1073741824;qu="content-bytes";w=3600',
    ])
  })

  it('leave no object behind when they end while their bytes come in', async () => {
    const { object } = await unsent(at)
    const to = await offered(at.world, at.record, object)
    const uploads = at.world.platform.objects('uploads')
    const before = { ...uploads }
    // The sweep falls between the two looks at the row; the clock says so, because the URL is not judged again.
    uploads.store = async (name, bytes) => {
      at.world.clock.now += UPLOAD_LIFE_MS
      await sweep()
      return before.store(name, bytes)
    }
    const sent = await put(at.world, to, object)
    Object.assign(uploads, before)
    expect(await outcome(sent)).toBe('410 GONE')
    expect(await stored(to.upload)).toBeNull()
    expect(await rows()).toEqual([])
  })
})
