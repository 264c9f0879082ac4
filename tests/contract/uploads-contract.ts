// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { SignedUpload, Uploads } from '#core/ports/uploads.ts'
import { takeUpload } from '#core/server/upload/receive.ts'
import { itUnless, sharedPlatform, type Subject } from './subject.ts'

const HOME = 'http://home.test'
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64url')

/** What every adapter that signs uploads promises. */
export function uploadsContract(subject: Subject): void {
  describe(`${subject.name}: uploads`, () => {
    const platform = sharedPlatform(subject)
    let names = 0
    const newName = () => `owner.upload-${names++}`
    const uploads = (): Uploads => {
      const { uploads: signing } = platform()
      if (!signing) throw new Error('the platform signs no uploads')
      return signing
    }
    const offer = (name: string, bytes: Uint8Array, expiresMs = platform().now() + 60_000) =>
      uploads().offer(name, { bytes: bytes.length, sha256: hashOf(bytes), expiresMs })
    const put = (signed: SignedUpload, bytes: Uint8Array) =>
      sendUpload(platform(), signed, bytes, subject.outside)
    const stored = (name: string) => platform().objects('uploads').fetch(name)

    it.each([1, 10, 300_000])('of %i bytes lie under their name, whole, and nowhere else', async (size) => {
      const [name, bytes] = [newName(), new Uint8Array(size).fill(7)]
      expect(await put(await offer(name, bytes), bytes)).toBe(true)
      expect(Buffer.from((await stored(name)) ?? []).equals(Buffer.from(bytes))).toBe(true)
      expect(await platform().objects('entries').fetch(name)).toBeNull()
    })

    it('are nowhere before they were sent', async () => {
      const name = newName()
      await offer(name, utf8('not sent'))
      expect(await stored(name)).toBeNull()
    })

    it('are never changed by a later one, of whatever', async () => {
      const name = newName()
      await put(await offer(name, utf8('first')), utf8('first'))
      await put(await offer(name, utf8('first')), utf8('first'))
      await put(await offer(name, utf8('later')), utf8('later'))
      expect(await stored(name)).toEqual(utf8('first'))
    })

    it('that race for one name leave one of them, whole', async () => {
      const name = newName()
      const sent = ['one', 'two', 'six'].map((text) => utf8(text))
      await Promise.all(sent.map(async (bytes) => put(await offer(name, bytes), bytes)))
      expect(sent).toContainEqual(await stored(name))
    })

    itUnless(subject.skips.uploadTerms, 'of other bytes, longer or shorter, are refused', async () => {
      for (const other of ['evil.', 'goo', 'good, and more']) {
        const name = newName()
        const signed = await offer(name, utf8('good.'))
        expect(await put(signed, utf8(other))).toBe(false)
        expect(await stored(name)).toBeNull()
        // Nobody's attempt takes the name from whoever it was signed for.
        expect(await put(signed, utf8('good.'))).toBe(true)
      }
    })

    it('are refused under a name that was not signed', async () => {
      const [name, other] = [newName(), newName()]
      const signed = await offer(name, utf8('x'))
      expect(await put({ ...signed, url: signed.url.replace(name, other) }, utf8('x'))).toBe(false)
      expect(await stored(other)).toBeNull()
    })

    it('are refused when the signature, or what it is of, was changed', async () => {
      const name = newName()
      const { url, ...signed } = await offer(name, utf8('x'))
      const at = new URL(url, HOME)
      const parameters = [...at.searchParams].filter(([, value]) => value !== '')
      expect(parameters.length).toBeGreaterThan(2)
      const changed = parameters.flatMap(([key, value]) => {
        // Azure has parameters that only say which of its rules apply: what they cannot be is checked by their sum.
        if (!/sig|expire|expiry|^se$|sha256|bytes|credential/i.test(key)) return []
        const copy = new URL(at)
        const last = value.at(-2) === '1' ? '2' : '1'
        copy.searchParams.set(key, `${value.slice(0, -2)}${last}${value.slice(-1)}`)
        return [copy]
      })
      expect(changed.length).toBeGreaterThan(1)
      for (const one of changed) {
        const relative = url.startsWith('/') ? one.pathname + one.search : one.href
        expect(await put({ ...signed, url: relative }, utf8('x'))).toBe(false)
      }
      expect(await stored(name)).toBeNull()
    })

    it('are refused when they begin after their expiry', async () => {
      const name = newName()
      const late = await offer(name, utf8('x'), platform().now() - 1000).catch((error: unknown) => error)
      if (!(late instanceof RangeError)) expect(await put(late as SignedUpload, utf8('x'))).toBe(false)
      expect(await stored(name)).toBeNull()
    })

    it.each(['', '.', '..', 'a/b', '../a', 'a\\b', 'a b', 'ä', 'a\n', 'x'.repeat(201)])(
      'are not signed for the name %j',
      async (name) => {
        await expect(offer(name, utf8('x'))).rejects.toThrow(RangeError)
      },
    )

    it('are not signed for nothing, for too much, or for something that is no hash', async () => {
      const terms = { bytes: 1, sha256: hashOf(utf8('x')), expiresMs: platform().now() + 60_000 }
      for (const bytes of [0, -1, 1.5, Number.NaN, uploads().maxBytes + 1])
        await expect(uploads().offer(newName(), { ...terms, bytes })).rejects.toThrow(RangeError)
      for (const sha256 of ['', 'x', `${terms.sha256}=`, terms.sha256.replace(/.$/, '\n')])
        await expect(uploads().offer(newName(), { ...terms, sha256 })).rejects.toThrow(RangeError)
    })

    it('that other URLs ask for are none of theirs', async () => {
      for (const path of ['/', '/v1/uploads/x', '/v1/uploads/x?bytes=1&sha256=x&expires=1&signature=x'])
        expect(await uploads().admit(new URL(path, HOME))).toBeNull()
    })
  })
}

/** Sends an upload as it was signed. @returns whether it was taken in, or was there */
async function sendUpload(
  platform: Platform,
  signed: SignedUpload,
  bytes: Uint8Array,
  outside: Fetch = (request) => fetch(request),
): Promise<boolean> {
  if (!signed.url.startsWith('/')) {
    const { method, url, headers } = signed
    const answer = await outside(
      new Request(url, { method, headers, body: bytes as Uint8Array<ArrayBuffer> }),
    )
    await answer.arrayBuffer()
    return answer.ok || answer.status === 409 || answer.status === 412
  }
  const ports = {
    uploads: platform.uploads ?? null,
    objects: { uploads: platform.objects('uploads') },
    now: platform.now,
  }
  return takeUpload(ports, new URL(signed.url, HOME), bytes).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject({ code: expect.stringMatching(/^(FORBIDDEN|GONE|VERIFICATION_FAILED)$/) })
      return false
    },
  )
}
