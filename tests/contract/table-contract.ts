// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Platform } from '#core/ports/needs.ts'

/** A platform to test, and the same data opened again where they outlive it. */
export interface Subject {
  readonly platform: Platform
  readonly reopen: (() => Promise<Platform>) | { readonly skipped: string }
}

/** What every adapter of the table port promises. */
export function tableContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name}: tables`, () => {
    it('let exactly one of fifty concurrent inserts win', async () => {
      const { platform } = await open()
      const table = platform.table('blocks')
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, i) => table.insert('p', 'k', utf8(String(i)))),
      )
      expect(outcomes.filter((outcome) => outcome === 'inserted')).toHaveLength(1)
      expect(await table.get('p', 'k')).toMatchObject({ value: utf8(String(outcomes.indexOf('inserted'))) })
      await platform.close()
    })

    it('let exactly one of fifty concurrent swaps win', async () => {
      const { platform } = await open()
      const table = platform.table('wraps')
      const first = await table.swap('p', 'k', null, utf8('0'))
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, i) => table.swap('p', 'k', first, utf8(String(i)))),
      )
      expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1)
      await platform.close()
    })

    it('never use a version again, not even after a row was removed', async () => {
      const { platform } = await open()
      const table = platform.table('wraps')
      const first = await table.swap('p', 'k', null, utf8('a'))
      await table.swap('p', 'k', first, null)
      expect(await table.get('p', 'k')).toBeNull()
      const second = await table.swap('p', 'k', null, utf8('b'))
      expect(second).not.toBe(first)
      expect(await table.swap('p', 'k', first, utf8('c'))).toBeNull()
      await platform.close()
    })

    it('give ranges in the order of UTF-8 bytes, bounded, limited and reversed', async () => {
      const { platform } = await open()
      const table = platform.table('blocks')
      const keys = ['a', 'b', 'é', '\u{ffff}', '\u{10000}', 'Z', '~', '0001', '0010']
      for (const key of keys) await table.insert('p', key, utf8(key))
      const sorted = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
      const names = async (range?: object) => (await table.range('p', range)).map((row) => row.key)
      expect(await names()).toEqual(sorted)
      expect(await names({ reverse: true, limit: 2 })).toEqual(sorted.toReversed().slice(0, 2))
      expect(await names({ from: 'a', to: 'é' })).toEqual(['a', 'b', '~'])
      expect(await table.range('other')).toEqual([])
      await platform.close()
    })

    it('keep empty and large values, and copies that nobody can change from outside', async () => {
      const { platform } = await open()
      const table = platform.table('blocks')
      const large = new Uint8Array(300_000).fill(7)
      await table.insert('p', 'large', large)
      large.fill(0)
      await table.insert('p', 'empty', new Uint8Array(0))
      const row = await table.get('p', 'large')
      row?.value.fill(1)
      expect((await table.get('p', 'large'))?.value.every((byte) => byte === 7)).toBe(true)
      expect((await table.get('p', 'empty'))?.value).toHaveLength(0)
      await platform.close()
    })

    it('still hold after reopening what was acknowledged before', async () => {
      const { platform, reopen } = await open()
      if (typeof reopen !== 'function') {
        expect(reopen.skipped).not.toBe('')
        return
      }
      await platform.table('blocks').insert('p', 'k', utf8('v'))
      await platform.close()
      const again = await reopen()
      expect((await again.table('blocks').get('p', 'k'))?.value).toEqual(utf8('v'))
      await again.close()
    })

    it('behave as a map under any schedule of acts', async () => {
      const key = fc.constantFrom('a', 'b', 'c')
      const act = fc.oneof(
        fc.record({ kind: fc.constant('insert' as const), key, value: fc.nat(9) }),
        fc.record({ kind: fc.constant('swap' as const), key, value: fc.nat(9), stale: fc.boolean() }),
        fc.record({ kind: fc.constant('remove' as const), key }),
      )
      const { platform } = await open()
      const table = platform.table('wraps')
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 20 }), async (acts) => {
          const partition = `run-${run++}`
          const model = new Map<string, number>()
          for (const step of acts) {
            const version = (await table.get(partition, step.key))?.version ?? null
            if (step.kind === 'insert') {
              const outcome = await table.insert(partition, step.key, Uint8Array.of(step.value))
              expect(outcome).toBe(model.has(step.key) ? 'exists' : 'inserted')
              if (!model.has(step.key)) model.set(step.key, step.value)
            } else if (step.kind === 'remove') {
              if (version !== null) await table.swap(partition, step.key, version, null)
              model.delete(step.key)
            } else {
              const done = await table.swap(
                partition,
                step.key,
                step.stale ? 'stale' : version,
                Uint8Array.of(step.value),
              )
              expect(done === null).toBe(step.stale)
              if (!step.stale) model.set(step.key, step.value)
            }
          }
          const rows = await table.range(partition)
          expect(rows.map((row) => [row.key, row.value[0]])).toEqual(
            [...model].toSorted(([x], [y]) => (x < y ? -1 : 1)),
          )
        }),
        { numRuns: 40 },
      )
      await platform.close()
    })
  })
}
