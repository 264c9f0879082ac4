// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isAmpereError } from '#core/errors.ts'
import type { Wrapper } from '#core/ports/keys.ts'
import { itUnless, sharedPlatform, type Subject } from './subject.ts'

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** What every adapter of the unwrapper port promises. */
export function unwrapperContract(subject: Subject): void {
  describe(`${subject.name}: unwrappers`, () => {
    const platform = sharedPlatform(subject)

    it('give back every seed that was wrapped, and show nothing of it before', async () => {
      const unwrapper = await platform().unwrapper('sealing')
      await fc.assert(
        fc.asyncProperty(seed, async (bytes) => {
          const wrapped = await unwrapper.wrap(bytes)
          expect(Buffer.from(wrapped).includes(Buffer.from(bytes.subarray(0, 16)))).toBe(false)
          expect(new Uint8Array(await unwrapper.unwrap(wrapped))).toEqual(new Uint8Array(bytes))
        }),
        { numRuns: 20 },
      )
    })

    itUnless(
      subject.skips.tampered,
      'fail with one error on bytes that were tampered with, wherever',
      async () => {
        const unwrapper = await platform().unwrapper('sealing')
        const wrapped = await unwrapper.wrap(new Uint8Array(32).fill(7))
        const tampered = [
          new Uint8Array(0),
          wrapped.subarray(1),
          wrapped.subarray(0, -1),
          wrapped.subarray(0, 8),
          Uint8Array.of(...wrapped, 0),
          ...Array.from(wrapped, (_, at) => wrapped.map((byte, i) => (i === at ? byte ^ 0x80 : byte))),
        ]
        const answers = await Promise.all(tampered.map((bytes) => refusal(unwrapper, bytes)))
        expect(new Set(answers).size).toBe(1)
        expect(answers[0]).toMatch(/^OPEN_FAILED: /)
      },
    )

    itUnless(subject.skips.tampered, 'fail with that same error on what another key wrapped', async () => {
      const { platform: other } = await subject.open()
      const wrapped = await (await other.unwrapper('sealing')).wrap(new Uint8Array(32))
      await other.close()
      const unwrapper = await platform().unwrapper('sealing')
      expect(await refusal(unwrapper, wrapped)).toBe(await refusal(unwrapper, new Uint8Array(0)))
    })

    it('reject a key of another use', async () => {
      for (const name of ['head', 'instance', 'institution', 'controller'] as const)
        await expect(platform().unwrapper(name)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' })
    })

    it.each([0, 16, 31, 33, 64])('refuse to wrap a seed of %i bytes', async (length) => {
      const unwrapper = await platform().unwrapper('sealing')
      await expect(unwrapper.wrap(new Uint8Array(length))).rejects.toThrow(RangeError)
    })

    it('unwrap many things at once without mixing them up', async () => {
      const unwrapper = await platform().unwrapper('sealing')
      const seeds = Array.from({ length: 50 }, (_, i) => new Uint8Array(32).fill(i))
      const wrapped = await Promise.all(seeds.map((bytes) => unwrapper.wrap(bytes)))
      const opened = await Promise.all(wrapped.map((bytes) => unwrapper.unwrap(bytes)))
      expect(opened.map((bytes) => bytes[0])).toEqual(seeds.map((bytes) => bytes[0]))
    })

    itUnless(subject.skips.reopen, 'open, when opened again, what was wrapped before', async () => {
      const { platform: first, reopen } = await subject.open()
      const wrapped = await (await first.unwrapper('sealing')).wrap(new Uint8Array(32).fill(9))
      await first.close()
      const second = await reopen()
      const opened = await (await second.unwrapper('sealing')).unwrap(wrapped)
      expect(new Uint8Array(opened)).toEqual(new Uint8Array(32).fill(9))
      await second.close()
    })
  })
}

/** How an unwrapper says no: code and message. */
async function refusal(unwrapper: Wrapper, bytes: Uint8Array): Promise<string> {
  return unwrapper.unwrap(bytes).then(
    () => 'opened',
    (error: unknown) => (isAmpereError(error) ? `${error.code}: ${error.message}` : 'not an AmpereError'),
  )
}
