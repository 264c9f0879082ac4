// SPDX-License-Identifier: Apache-2.0
import type { Placed } from '../rule.ts'

/**
 * Neighbouring members of a group that share a `run`, by their ends. Found by binary search, so that a judgement
 * which needs only the ends of each run does not look at the whole group.
 */
export interface Run<T> {
  readonly name: string
  readonly first: Placed<T>
  readonly last: Placed<T>
  /** Indexes in the group: the first member, and one after the last. */
  readonly start: number
  readonly end: number
}

/** The runs of an ordered group. */
export function runsOf<T>(members: readonly Placed<T>[]): readonly Run<T>[] {
  const runs: Run<T>[] = []
  for (let start = 0; start < members.length;) {
    const first = members[start]
    if (!first) break
    const end = endOfRun(members, start)
    const last = members[end - 1] ?? first
    runs.push({ name: first.run, first, last, start, end })
    start = end
  }
  return runs
}

/** All pairs of a short list, each once. */
export function pairsOf<T>(list: readonly T[]): readonly (readonly [T, T])[] {
  return list.flatMap((a, i) => list.slice(i + 1).map((b) => [a, b] as const))
}

/** Index after the last member of the run that begins at `start`. */
function endOfRun<T>(members: readonly Placed<T>[], start: number): number {
  const name = members[start]?.run
  let [low, high] = [start + 1, members.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (members[middle]?.run === name) low = middle + 1
    else high = middle
  }
  return low
}
