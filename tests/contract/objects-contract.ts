// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import type { Subject } from './table-contract.ts'

/** What every adapter of the object port promises. */
export function objectsContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name}: objects`, () => {
    it.each([10, 300_000])('of %i bytes are never changed once stored', async (size) => {
      const { platform } = await open()
      const objects = platform.objects('entries')
      const first = new Uint8Array(size).fill(1)
      const outcomes = await Promise.all([
        objects.store('c/x', first),
        objects.store('c/x', new Uint8Array(size).fill(2)),
      ])
      expect(outcomes.toSorted()).toEqual(['exists', 'stored'])
      const stored = await objects.fetch('c/x')
      expect(stored?.every((byte) => byte === stored[0])).toBe(true)
      expect(await objects.store('c/x', new Uint8Array(size).fill(3))).toBe('exists')
      expect((await objects.fetch('c/x'))?.[0]).not.toBe(3)
      await platform.close()
    })

    it.each([10, 300_000])('of %i bytes are served by range', async (size) => {
      const { platform } = await open()
      const objects = platform.objects('entries')
      await objects.store(
        'c/x',
        Uint8Array.from({ length: size }, (_, i) => i % 251),
      )
      expect(await objects.fetch('c/x', { start: 3, end: 6 })).toEqual(Uint8Array.of(3, 4, 5))
      expect(await objects.fetch('c/x', { start: size - 1, end: size + 9 })).toHaveLength(1)
      expect(await objects.fetch('c/none')).toBeNull()
      await platform.close()
    })

    it.each([10, 300_000])('of %i bytes are gone when shredded, however often', async (size) => {
      const { platform } = await open()
      const objects = platform.objects('entries')
      await objects.store('c/x', new Uint8Array(size))
      await objects.shred('c/x')
      await objects.shred('c/x')
      expect(await objects.fetch('c/x')).toBeNull()
      await platform.close()
    })

    it.each(['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a/.', 'a b', 'ä', 'x'.repeat(201)])(
      'refuse the name %j',
      async (bad) => {
        const { platform } = await open()
        await expect(platform.objects('entries').store(bad, new Uint8Array(1))).rejects.toThrow(RangeError)
        await expect(platform.objects('entries').fetch(bad)).rejects.toThrow(RangeError)
        await platform.close()
      },
    )
  })
}
