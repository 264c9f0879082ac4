// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '../../bytes/timestamp.ts'
import type { Completeness } from './monitor-words.ts'

/** What was said of one record, for programs. */
export function completeJson({ height, asOfMs, why, words }: Completeness) {
  return {
    height,
    asOf: asOfMs === null ? null : toTimestamp(asOfMs),
    why,
    monitors: words.map(({ origin, says, tree, seenMs, detail }) => ({
      origin,
      says,
      size: tree?.size ?? null,
      root: tree?.root ?? null,
      seen: seenMs === null ? null : toTimestamp(seenMs),
      detail,
    })),
  }
}
