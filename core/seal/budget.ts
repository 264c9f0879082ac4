// SPDX-License-Identifier: Apache-2.0
import { MAX_ENTRY_BYTES, MAX_INFLATION } from './entry.ts'

/**
 * Plain bytes of the entries of one block together, at most; as many as of one entry. Part of the format: writers
 * close a block before it, and of a block with more a reader opens what fits.
 */
export const MAX_BLOCK_OPENED_BYTES = MAX_ENTRY_BYTES

/**
 * Plain bytes that one reading of a record holds of what one author wrote, at most. Per author, so that nobody can
 * use up what a reader holds of others. Not part of the format: a reader may be given another.
 */
export const MAX_AUTHOR_OPENED_BYTES = 512 * 1024 * 1024

/** Plain bytes that may come out of so many sealed ones, all of which belong to one block. */
export function mostOpened(sealedBytes: number): number {
  return Math.min(MAX_BLOCK_OPENED_BYTES, MAX_INFLATION * sealedBytes)
}

/** Plain bytes of an opened entry: header and content, and the uint32 length between them. */
export function openedBytes(entry: { readonly header: Uint8Array; readonly content: Uint8Array }): number {
  return 4 + entry.header.length + entry.content.length
}

/**
 * Opens items side by side as far as that is small, and counts what came out in their order, so that every reading
 * leaves out the same ones: null for what does not fit. What comes after it is judged by what is left all the same.
 * Holds at most `maxBytes`, and `SIDE_BY_SIDE_BYTES` while it opens.
 */
export async function openWithin<I, R>(
  items: readonly I[],
  maxBytes: number,
  how: {
    readonly sealedBytes: (item: I) => number
    /** Null for an item that has more plain bytes than are left. */
    readonly open: (item: I, left: number) => Promise<R | null>
    readonly plainBytes: (result: R) => number
  },
): Promise<readonly (R | null)[]> {
  let left = maxBytes
  const results: (R | null)[] = []
  const weight = (item: I) => mostOpened(how.sealedBytes(item))
  for (const group of groupByWeight(items, weight, SIDE_BY_SIDE_BYTES)) {
    const before = left
    for (const result of await Promise.all(group.map((item) => how.open(item, before)))) {
      const bytes = result === null ? 0 : how.plainBytes(result)
      const fits = bytes <= left
      if (fits) left -= bytes
      results.push(fits ? result : null)
    }
  }
  return results
}

/** Plain bytes that entries of one block opened side by side may have, beside what is held already. */
const SIDE_BY_SIDE_BYTES = 64 * 1024 * 1024

/**
 * Consecutive items, in groups of at most `most` items that weigh at most `budget` together, though never fewer than
 * one: what is done to a group at once has a bound, and goes side by side while it is small.
 */
export function groupByWeight<T>(
  items: readonly T[],
  weightOf: (item: T) => number,
  budget: number,
  most = Number.POSITIVE_INFINITY,
): readonly (readonly T[])[] {
  const groups: T[][] = []
  let weight = 0
  for (const item of items) {
    const last = groups.at(-1)
    const added = weightOf(item)
    if (last && last.length < most && weight + added <= budget) {
      last.push(item)
      weight += added
    } else {
      groups.push([item])
      weight = added
    }
  }
  return groups
}
