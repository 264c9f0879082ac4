// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { leafHash } from '#core/log/merkle.ts'
import { consistencyProof, consistencyProofLength } from '#core/log/proof.ts'

describe('the length of a consistency proof', () => {
  it('is that of the proof, for every two sizes up to 70', () => {
    const leaves = Array.from({ length: 70 }, (_, i) => leafHash(Uint8Array.of(i)))
    for (let size2 = 1; size2 <= leaves.length; size2++)
      for (let size1 = 1; size1 <= size2; size1++)
        expect([size1, size2, consistencyProofLength(size1, size2)]).toEqual([
          size1,
          size2,
          consistencyProof(leaves.slice(0, size2), size1).length,
        ])
  })

  it('is known for the largest trees, and refused for what are no two trees', () => {
    expect(consistencyProofLength(2 ** 52, 2 ** 53 - 1)).toBe(1)
    expect(consistencyProofLength(1, 2 ** 53 - 1)).toBe(53)
    for (const [size1, size2] of [
      [0, 1],
      [2, 1],
      [0.5, 1],
      [1, Number.MAX_SAFE_INTEGER + 1],
    ] as const)
      expect(() => consistencyProofLength(size1, size2)).toThrow(RangeError)
  })
})
