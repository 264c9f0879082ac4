// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { pastSizes, sizeBefore, type PastSize } from '#core/server/sequence/labels/past-sizes.ts'

/** A log that grew in such steps: after so many seconds, by so many leaves. */
const histories = fc.array(fc.tuple(fc.nat(4000), fc.integer({ min: 1, max: 500 })), {
  minLength: 1,
  maxLength: 300,
})

/** Every tree of a log, oldest first, and what its newest tree keeps of those before it. */
function grown(steps: readonly (readonly [number, number])[]) {
  const all: PastSize[] = [{ signedAt: 1_000_000, size: 0 }]
  let kept: readonly PastSize[] = []
  for (const [seconds, leaves] of steps) {
    const newest = all.at(-1) as PastSize
    const next = { signedAt: newest.signedAt + seconds, size: newest.size + leaves }
    kept = pastSizes(kept, newest, next)
    all.push(next)
  }
  return { all, kept: [...kept, all.at(-1) as PastSize] }
}

describe('the past sizes of a log', () => {
  it('never lead behind what was logged after a moment, and to at most some twice as long before it', () => {
    fc.assert(
      fc.property(histories, fc.nat(1_200_000), (steps, back) => {
        const { all, kept } = grown(steps)
        const now = (all.at(-1) as PastSize).signedAt
        const found = sizeBefore(kept, now - back)
        expect(found).toBeLessThanOrEqual(sizeBefore(all, now - back))
        expect(found).toBeGreaterThanOrEqual(sizeBefore(all, now - 2 * back - 60))
      }),
    )
  })

  it('are few, however long the log is', () => {
    fc.assert(
      fc.property(histories, (steps) => {
        const { all, kept } = grown(steps)
        const seconds = (all.at(-1) as PastSize).signedAt - 1_000_000
        expect(kept.length).toBeLessThanOrEqual(4 + 2 * Math.log2(1 + seconds / 60))
      }),
    )
    const { kept } = grown(Array.from({ length: 100_000 }, () => [60, 1] as const))
    expect(kept.length).toBeLessThan(40)
  })
})
