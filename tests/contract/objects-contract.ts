// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { itUnless, sharedPlatform, type Subject } from './subject.ts'

/** On both sides of every size at which an adapter may store objects in another way. */
const SIZES = [0, 10, 300_000] as const
/** Compares as one: a matcher would look at each of 300,000 elements. */
const isFilled = (bytes: Uint8Array | null, size: number, fill: number) =>
  bytes !== null && Buffer.from(bytes).equals(Buffer.alloc(size, fill))
const bytesOf = (size: number, fill: number) => new Uint8Array(size).fill(fill)

/** What every adapter of the object port promises. */
export function objectsContract(subject: Subject): void {
  describe(`${subject.name}: objects`, () => {
    const platform = sharedPlatform(subject)
    let objects = 0
    const newName = () => `c/object-${objects++}`

    it.each([10, 300_000])('of %i bytes are never changed once stored', async (size) => {
      const store = platform().objects('entries')
      const name = newName()
      const outcomes = await Promise.all([
        store.store(name, bytesOf(size, 1)),
        store.store(name, bytesOf(size, 2)),
      ])
      expect(outcomes.toSorted()).toEqual(['exists', 'stored'])
      const stored = await store.fetch(name)
      expect(stored?.every((byte) => byte === stored[0])).toBe(true)
      expect(stored?.[0]).toBe(outcomes[0] === 'stored' ? 1 : 2)
      expect(await store.store(name, bytesOf(size, 3))).toBe('exists')
      expect((await store.fetch(name))?.[0]).toBe(stored?.[0])
    })

    it.each([
      [10, 300_000],
      [300_000, 10],
      [0, 300_000],
      [10, 0],
    ])('of %i bytes are not changed by one of %i bytes with their name', async (first, second) => {
      const store = platform().objects('entries')
      const name = newName()
      expect(await store.store(name, bytesOf(first, 1))).toBe('stored')
      expect(await store.store(name, bytesOf(second, 2))).toBe('exists')
      expect(await store.fetch(name)).toHaveLength(first)
      const other = newName()
      const outcomes = await Promise.all([first, second].map((size) => store.store(other, bytesOf(size, 1))))
      expect(outcomes.toSorted()).toEqual(['exists', 'stored'])
      expect(await store.fetch(other)).toHaveLength(outcomes[0] === 'stored' ? first : second)
    })

    it.each(SIZES)('of %i bytes hold what was given, whatever becomes of the buffer', async (size) => {
      const store = platform().objects('entries')
      const name = newName()
      const given = bytesOf(size, 5)
      const stored = store.store(name, given)
      given.fill(6)
      await stored
      const fetched = await store.fetch(name)
      expect(isFilled(fetched, size, 5)).toBe(true)
      fetched?.fill(7)
      expect(isFilled(await store.fetch(name), size, 5)).toBe(true)
    })

    it.each([10, 300_000])('of %i bytes are served by range', async (size) => {
      const store = platform().objects('entries')
      const name = newName()
      await store.store(
        name,
        Uint8Array.from({ length: size }, (_, i) => i % 251),
      )
      expect(await store.fetch(name, { start: 3, end: 6 })).toEqual(Uint8Array.of(3, 4, 5))
      expect(await store.fetch(name, { start: size - 1, end: size + 9 })).toHaveLength(1)
      expect(await store.fetch(name, { start: size, end: size + 9 })).toHaveLength(0)
      expect(await store.fetch(name, { start: size + 1, end: size + 9 })).toHaveLength(0)
      expect(await store.fetch(newName())).toBeNull()
    })

    it.each(SIZES)('of %i bytes are gone when shredded, however often', async (size) => {
      const store = platform().objects('entries')
      const name = newName()
      await store.store(name, bytesOf(size, 1))
      await store.shred(name)
      await store.shred(name)
      expect(await store.fetch(name)).toBeNull()
    })

    it('of one store are not those of another', async () => {
      const name = newName()
      await platform().objects('entries').store(name, bytesOf(1, 1))
      expect(await platform().objects('originals').fetch(name)).toBeNull()
    })

    it.each(['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a/.', 'a b', 'ä', 'x'.repeat(201)])(
      'refuse the name %j',
      async (bad) => {
        const store = platform().objects('entries')
        await expect(store.store(bad, new Uint8Array(1))).rejects.toThrow(RangeError)
        await expect(store.fetch(bad)).rejects.toThrow(RangeError)
        await expect(store.shred(bad)).rejects.toThrow(RangeError)
      },
    )

    itUnless(subject.skips.reopen, 'are still there when opened again', async () => {
      const { platform: first, reopen } = await subject.open()
      for (const size of SIZES) await first.objects('entries').store(`c/${size}`, bytesOf(size, 1))
      await first.close()
      const second = await reopen()
      for (const size of SIZES)
        expect(isFilled(await second.objects('entries').fetch(`c/${size}`), size, 1)).toBe(true)
      await second.close()
    })
  })
}
