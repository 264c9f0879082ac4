// SPDX-License-Identifier: Apache-2.0
import type { Run } from '../report.ts'

/**
 * Rows for blocks at these leaves, by height. A row that is right stays as it is: that a run ends somewhere tells where
 * the tree may have been published. One begins at leaf `start`, where those of the last commit do: a sequencer notes these
 * again when it starts.
 */
export function rowsFor(
  positions: ReadonlyMap<number, number>,
  existing: readonly Run[],
  start: number,
): readonly Run[] {
  const runs: Run[] = []
  // Where a row begins it did so before as well, though it may say something false now.
  const starts = new Set(existing.map(({ from }) => from))
  const right = rightRows(positions, existing)
  let before: Run | null = null
  for (const [height, index] of [...positions].toSorted(([a], [b]) => a - b)) {
    const row = right.get(height) ?? null
    const last = runs.at(-1)
    const isFirst =
      index === start || starts.has(height) || (before !== null && before.from + before.count === height)
    if (last && !isFirst && last.from + last.count === height && last.index + last.count === index)
      runs.splice(-1, 1, { ...last, count: last.count + 1 })
    else runs.push({ from: height, count: 1, index })
    before = row
  }
  return runs
}

/** The row that says of a height what is right. */
function rightRows(
  positions: ReadonlyMap<number, number>,
  existing: readonly Run[],
): ReadonlyMap<number, Run> {
  const right = new Map<number, Run>()
  for (const run of existing)
    for (const [height, index] of within(positions, run))
      if (run.index + height - run.from === index) right.set(height, run)
  return right
}

/** What a row covers of them: it may say that it covers more than there is. */
function* within(positions: ReadonlyMap<number, number>, { from, count }: Run): Generator<[number, number]> {
  if (count > positions.size) {
    for (const [height, index] of positions)
      if (height >= from && height < from + count) yield [height, index]
    return
  }
  for (let height = from; height < from + count; height++) {
    const index = positions.get(height)
    if (index !== undefined) yield [height, index]
  }
}

/** Whether these are other rows than those. */
export function differ(a: readonly Run[], b: readonly Run[]): boolean {
  return (
    a.length !== b.length ||
    a.some(({ from, count, index }, i) => {
      const other = b[i]
      return other?.from !== from || other.count !== count || other.index !== index
    })
  )
}
