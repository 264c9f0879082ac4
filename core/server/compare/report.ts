// SPDX-License-Identifier: Apache-2.0

/** What two homes can differ in. */
export type ComparedPart =
  | 'chain'
  | 'block'
  | 'row'
  | 'object'
  | 'keys'
  | 'statements'
  | 'receipts'
  | 'registry'
  | 'checkpoint'
  | 'log-file'
  | 'witnessed'

/** One thing that is not the same in both. */
export interface Difference {
  /** Chain and height, a path of the log, a tree size, or a height of the registry. */
  readonly where: string
  readonly part: ComparedPart
  /** `missing` from the second, `added` there, or another there than in the first. */
  readonly how: 'missing' | 'added' | 'other'
}

/** What a comparison looked at, and all that differs. */
export interface Comparison {
  readonly chains: number
  readonly blocks: number
  /** Sealed objects, key rows, and sets of packages and label keys: each compared byte by byte. */
  readonly parts: number
  readonly bytes: number
  readonly registryBlocks: number
  readonly logSize: number
  /** Tiles and bundles of the log. */
  readonly logFiles: number
  readonly witnessed: number
  /** Keys and objects that the second destroyed and the first still has, where that was allowed. */
  readonly erased: number
  readonly differences: readonly Difference[]
  /** Differences beyond those that are listed. */
  readonly unlisted: number
}

/** Differences that are listed. */
const MAX_LISTED = 1000

/** A comparison under way. */
export interface Tally {
  count(what: Counted, by?: number): void
  differs(part: ComparedPart, where: string, how: Difference['how']): void
  readonly report: () => Comparison
}
type Counted = Exclude<keyof Comparison, 'differences' | 'unlisted'>

export function newTally(): Tally {
  const counts: Record<Counted, number> = {
    chains: 0,
    blocks: 0,
    parts: 0,
    bytes: 0,
    registryBlocks: 0,
    logSize: 0,
    logFiles: 0,
    witnessed: 0,
    erased: 0,
  }
  const differences: Difference[] = []
  let unlisted = 0
  return {
    count: (what, by = 1) => {
      counts[what] += by
    },
    differs: (part, where, how) => {
      if (differences.length < MAX_LISTED) differences.push({ where, part, how })
      else unlisted++
    },
    report: () => ({ ...counts, differences, unlisted }),
  }
}

/** `missing`, `added` or `other` of what is in the first, and in the second; null for the same. */
export function howDiffers<T>(
  first: T | null,
  second: T | null,
  same: (a: T, b: T) => boolean,
): Difference['how'] | null {
  if (first === null) return second === null ? null : 'added'
  if (second === null) return 'missing'
  return same(first, second) ? null : 'other'
}
