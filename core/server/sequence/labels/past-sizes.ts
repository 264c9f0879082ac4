// SPDX-License-Identifier: Apache-2.0

/** How large the log was when a tree of it was signed. */
export interface PastSize {
  /** POSIX seconds. */
  readonly signedAt: number
  readonly size: number
}

/**
 * Within how many seconds sizes need not be told apart. Whoever asks goes back some minutes for clocks that differ, so that
 * finer steps would save nothing.
 */
const COARSEST_SECONDS = 60

/**
 * The sizes before `next`, thinned: what lies twice as far back may be known half as precisely. So ten years are some forty
 * sizes, and who looks from one of them on reads at most about twice the entries that were logged since the moment in question.
 * @param known what was kept so far, oldest first; @param newest the tree before `next`
 */
export function pastSizes(
  known: readonly PastSize[],
  newest: PastSize,
  next: Pick<PastSize, 'signedAt'>,
): readonly PastSize[] {
  const age = ({ signedAt }: PastSize) => next.signedAt - signedAt + COARSEST_SECONDS
  const kept = [newest]
  for (let i = known.length - 1; i >= 0; i--) {
    const [each, older, newer] = [known[i], known[i - 1], kept[0]]
    if (each && newer && (!older || age(older) > 2 * age(newer))) kept.unshift(each)
  }
  return kept
}

/** A size that the log had already before a moment: what was logged later has at least this index. 0 when none is known. */
export function sizeBefore(known: readonly PastSize[], seconds: number): number {
  return known.reduce((size, past) => (past.signedAt < seconds ? Math.max(size, past.size) : size), 0)
}
