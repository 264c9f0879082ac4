// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8 } from '#core/bytes/encoding.ts'
import { fitting, MAX_PAGE_BYTES, pageOf } from '#core/server/store/page.ts'

const bytesOf = (items: readonly string[]) => JSON.stringify(items).length

describe('a page of texts', () => {
  it('has as many as fit in an answer, in order, and always one', () => {
    const text = fc.oneof(
      fc.integer({ min: 0, max: MAX_PAGE_BYTES }).map((length) => 'x'.repeat(length)),
      fc.integer({ min: 0, max: 100_000 }).map((length) => '\n'.repeat(length)),
    )
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (items) => {
        const page = fitting(items)
        expect(page).toEqual(items.slice(0, page.length))
        expect(page.length).toBeGreaterThan(0)
        if (page.length > 1) expect(bytesOf(page)).toBeLessThanOrEqual(MAX_PAGE_BYTES + 2)
        // Nothing is left out that would have fitted.
        const more = items.slice(0, page.length + 1)
        if (more.length > page.length) expect(bytesOf(more)).toBeGreaterThan(MAX_PAGE_BYTES)
      }),
      { numRuns: 15 },
    )
  })

  it('leads on behind what it has, until what was asked for has come to its end', () => {
    const row = (length: number) => ({ value: utf8('x'.repeat(length)) })
    const large = Array.from({ length: 40 }, () => row(128 * 1024))
    const { items, next } = pageOf(large, 7, 500)
    expect([items.length < 40, next]).toEqual([true, 7 + items.length])
    expect(pageOf([row(1), row(2)], 7, 2).next).toBe(9)
    expect(pageOf([row(1)], 7, 2).next).toBeNull()
  })
})
