// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { BlocksAnswer } from '../../api/answers.ts'
import { MAX_RANGE_BYTES } from '../../api/large/upload.ts'

/** Bytes of the items of one page, in JSON: what every home lets pass (`MAX_RANGE_BYTES`), less what surrounds them. */
export const MAX_PAGE_BYTES = MAX_RANGE_BYTES - 1024

/** The first of these texts, as many as fit in one answer, and always one: whoever pages goes on behind them. */
export function fitting(items: readonly string[]): readonly string[] {
  let bytes = 0
  const end = items.findIndex((item, at) => {
    // ASCII, but for escapes; quotes are among them, the comma is not.
    bytes += JSON.stringify(item).length + 1
    return at > 0 && bytes > MAX_PAGE_BYTES
  })
  return end === -1 ? items : items.slice(0, end)
}

/** A page of a list that is short enough to be read whole: what fits in one answer, from the item `from` on. */
export function pageFrom<T extends object>(
  all: readonly T[],
  from: number,
): { readonly items: T[]; readonly next: number | null } {
  const rest = all.slice(from)
  const items = rest.slice(0, fitting(rest.map((item) => JSON.stringify(item))).length)
  return { items, next: items.length === rest.length ? null : from + items.length }
}

/** A page of these rows, or of as many as fit in one answer; `size` is how many were asked for. */
export function pageOf(
  rows: readonly { readonly value: Uint8Array }[],
  from: number,
  size: number,
): BlocksAnswer {
  const items = [...fitting(rows.map((row) => fromUtf8(row.value)))]
  const isLast = rows.length < size && items.length === rows.length
  return { items, next: isLast ? null : from + items.length }
}
