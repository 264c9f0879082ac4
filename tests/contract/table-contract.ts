// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8 } from '#core/bytes/encoding.ts'
import { itUnless, sharedPlatform, type Subject } from './subject.ts'

/** What every adapter of the table port promises. */
export function tableContract(subject: Subject): void {
  describe(`${subject.name}: tables`, () => {
    const platform = sharedPlatform(subject)
    let partitions = 0
    const newPartition = () => `partition-${partitions++}`

    it('let exactly one of fifty concurrent inserts win', async () => {
      const table = platform().table('blocks')
      const p = newPartition()
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, i) => table.insert(p, 'k', utf8(String(i)))),
      )
      expect(outcomes.filter((outcome) => outcome === 'inserted')).toHaveLength(1)
      expect(await table.get(p, 'k')).toMatchObject({ value: utf8(String(outcomes.indexOf('inserted'))) })
    })

    it('let exactly one of fifty concurrent swaps win', async () => {
      const table = platform().table('wraps')
      const p = newPartition()
      const first = await table.swap(p, 'k', null, utf8('0'))
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, i) => table.swap(p, 'k', first, utf8(String(i)))),
      )
      expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1)
    })

    it('never use a version again, not even after a row was removed', async () => {
      const table = platform().table('wraps')
      const p = newPartition()
      const first = await table.swap(p, 'k', null, utf8('a'))
      await table.swap(p, 'k', first, null)
      expect(await table.get(p, 'k')).toBeNull()
      const second = await table.swap(p, 'k', null, utf8('b'))
      expect(second).not.toBe(first)
      expect(await table.swap(p, 'k', first, utf8('c'))).toBeNull()
    })

    it('give ranges in the order of UTF-8 bytes, bounded, limited and reversed', async () => {
      const table = platform().table('blocks')
      const p = newPartition()
      const keys = ['a', 'b', 'é', '\u{ffff}', '\u{10000}', 'Z', '~', '0001', '0010']
      for (const key of keys) await table.insert(p, key, utf8(key))
      const sorted = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
      const names = async (range?: object) => (await table.range(p, range)).map((row) => row.key)
      expect(await names()).toEqual(sorted)
      expect(await names({ reverse: true, limit: 2 })).toEqual(sorted.toReversed().slice(0, 2))
      expect(await names({ from: 'a', to: 'é' })).toEqual(['a', 'b', '~'])
      expect(await table.range(newPartition())).toEqual([])
    })

    it('keep empty and large values, and copies that nobody can change from outside', async () => {
      const table = platform().table('blocks')
      const p = newPartition()
      const large = new Uint8Array(300_000).fill(7)
      await table.insert(p, 'large', large)
      large.fill(0)
      await table.insert(p, 'empty', new Uint8Array(0))
      const row = await table.get(p, 'large')
      row?.value.fill(1)
      expect((await table.get(p, 'large'))?.value.every((byte) => byte === 7)).toBe(true)
      expect((await table.get(p, 'empty'))?.value).toHaveLength(0)
    })

    it('hold what was given, whatever becomes of the buffer before the answer', async () => {
      const table = platform().table('wraps')
      const p = newPartition()
      const given = utf8('given')
      const inserted = table.insert(p, 'inserted', given)
      const swapped = table.swap(p, 'swapped', null, given)
      given.fill(0)
      await Promise.all([inserted, swapped])
      const rows = await table.range(p)
      expect(rows.map((row) => [row.key, row.value])).toEqual([
        ['inserted', utf8('given')],
        ['swapped', utf8('given')],
      ])
    })

    it('are apart from each other, and their partitions too', async () => {
      const p = newPartition()
      await platform().table('blocks').insert(p, 'k', utf8('v'))
      expect(await platform().table('states').get(p, 'k')).toBeNull()
      expect(await platform().table('blocks').get(newPartition(), 'k')).toBeNull()
    })

    itUnless(subject.skips.reopen, 'still hold after reopening what was acknowledged before', async () => {
      const { platform: first, reopen } = await subject.open()
      await first.table('blocks').insert('p', 'k', utf8('v'))
      await first.close()
      const second = await reopen()
      expect((await second.table('blocks').get('p', 'k'))?.value).toEqual(utf8('v'))
      await second.close()
    })

    it('behave as a map under any schedule of acts', async () => {
      const key = fc.constantFrom('a', 'b', 'c')
      const act = fc.oneof(
        fc.record({ kind: fc.constant('insert' as const), key, value: fc.nat(9) }),
        fc.record({ kind: fc.constant('swap' as const), key, value: fc.nat(9), stale: fc.boolean() }),
        fc.record({ kind: fc.constant('remove' as const), key }),
      )
      const table = platform().table('wraps')
      const p = newPartition()
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 20 }), async (acts) => {
          const partition = `${p}-run-${run++}`
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
    })
  })
}
