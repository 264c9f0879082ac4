// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8 } from '#core/bytes/encoding.ts'
import { EMPTY_FRONTIER, extendFrontier, frontierRoot, isFrontier } from '#core/log/frontier.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { prefixProof, prefixRoot } from '#core/log/proof.ts'

const LEAVES = Array.from({ length: 70 }, (_, i) => leafHash(utf8(`entry ${i}`)))
const OTHER = leafHash(utf8('other'))
const size = fc.integer({ min: 0, max: 70 })
const pair = fc
  .tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 }))
  .filter(([a, b]) => a < b)

describe('a frontier', () => {
  it('gives the root of its tree, however its leaves came', () => {
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a]
        const before = extendFrontier(EMPTY_FRONTIER, LEAVES.slice(0, start))
        const after = extendFrontier(before, LEAVES.slice(start, end))
        expect(after.size).toBe(end)
        expect(isFrontier(after)).toBe(true)
        expect(frontierRoot(after)).toEqual(merkleRoot(LEAVES.slice(0, end)))
        expect(before.size).toBe(start)
      }),
    )
  })

  it('has as many hashes as its tree has complete subtrees', () => {
    const { hashes } = extendFrontier(EMPTY_FRONTIER, LEAVES.slice(0, 7))
    expect(isFrontier({ size: 7, hashes })).toBe(true)
    expect(isFrontier({ size: 7, hashes: hashes.slice(1) })).toBe(false)
    expect(isFrontier({ size: 8, hashes })).toBe(false)
    expect(() => extendFrontier({ size: 7, hashes: [] }, LEAVES)).toThrow(RangeError)
  })
})

describe('a prefix proof', () => {
  it('shows with which tree the larger one begins, whatever else was signed', () => {
    fc.assert(
      fc.property(pair, ([size1, size2]) => {
        const leaves = LEAVES.slice(0, size2)
        const root2 = merkleRoot(leaves)
        const shown = prefixRoot({ size1, size2, root2, proof: prefixProof(leaves, size1) })
        expect(shown).toEqual(merkleRoot(leaves.slice(0, size1)))
      }),
    )
  })

  it('shows nothing with another hash, hash count, size or root', () => {
    fc.assert(
      fc.property(pair, fc.nat(), ([size1, size2], at) => {
        const leaves = LEAVES.slice(0, size2)
        const root2 = merkleRoot(leaves)
        const proof = prefixProof(leaves, size1)
        const claim = { size1, size2, root2, proof }
        expect(prefixRoot({ ...claim, proof: proof.with(at % proof.length, OTHER) })).toBeNull()
        expect(prefixRoot({ ...claim, proof: proof.slice(1) })).toBeNull()
        expect(prefixRoot({ ...claim, proof: [...proof, OTHER] })).toBeNull()
        expect(prefixRoot({ ...claim, root2: OTHER })).toBeNull()
        expect(prefixRoot({ ...claim, size1: size2 })).toBeNull()
        expect(prefixRoot({ ...claim, size1: 0 })).toBeNull()
      }),
    )
  })
})
