// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { leafHash, merkleRoot, nodeHash } from '#core/log/merkle.ts'
import {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
  type Consistency,
  type Inclusion,
} from '#core/log/proof.ts'

const MAX = 40
const leaves = Array.from({ length: MAX }, (_, i) => leafHash(Uint8Array.of(i)))
const roots = Array.from({ length: MAX + 1 }, (_, size) => merkleRoot(leaves.slice(0, size)))
const rootAt = (size: number): Uint8Array => roots[size] ?? new Uint8Array(0)
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })

function inclusionOf(size: number, index: number): Inclusion {
  const leaf = leaves[index] ?? new Uint8Array(0)
  return { leaf, index, size, proof: inclusionProof(leaves.slice(0, size), index), root: rootAt(size) }
}
function consistencyOf(size1: number, size2: number): Consistency {
  const proof = consistencyProof(leaves.slice(0, size2), size1)
  return { size1, root1: rootAt(size1), size2, root2: rootAt(size2), proof }
}
const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

/** Every way to spoil a list of hashes at one place. */
function spoiled(proof: readonly Uint8Array[], at: number, byte: number): Uint8Array[][] {
  const put = (...hashes: Uint8Array[]) => [...proof.slice(0, at), ...hashes, ...proof.slice(at + 1)]
  const extra = [
    [new Uint8Array(32), ...proof],
    [...proof, new Uint8Array(32)],
  ]
  const here = proof[at]
  if (!here) return extra
  const wrong = [put(flip(here, byte)), put(), put(here, here), put(here.slice(0, 31)), ...extra]
  const next = proof[at + 1]
  if (!next) return wrong
  // The same bytes, shared out differently between two neighbours, or the neighbours exchanged.
  const joined = Uint8Array.of(...here, ...next)
  const around = (a: Uint8Array, b: Uint8Array) => [...proof.slice(0, at), a, b, ...proof.slice(at + 2)]
  return [...wrong, around(next, here), around(joined.slice(0, 31), joined.slice(31))]
}

const place = fc.integer({ min: 1, max: MAX }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    index: fc.nat(size - 1),
    at: fc.nat(5),
    byte: fc.nat(31),
  }),
)

describe('Merkle proofs', () => {
  it('prove consistency between any two sizes up to 40, and no other size, order or root', () => {
    for (let size2 = 1; size2 <= MAX; size2++) {
      for (let size1 = 1; size1 <= size2; size1++) {
        const claim = consistencyOf(size1, size2)
        expect(verifyConsistency(claim)).toBe(true)
        expect(verifyConsistency({ ...claim, size1: size1 - 1 })).toBe(false)
        if (size1 === size2) continue
        expect(verifyConsistency({ ...claim, root1: rootAt(size1 - 1) })).toBe(false)
        expect(verifyConsistency({ ...claim, root2: rootAt(size2 - 1) })).toBe(false)
        expect(verifyConsistency({ ...claim, size1: size2, size2: size1 })).toBe(false)
      }
    }
  })

  it('put a leaf at one index of a tree and at no other', () => {
    for (let size = 1; size <= MAX; size++) {
      for (let index = 0; index < size; index += 3) {
        const claim = inclusionOf(size, index)
        const accepted = Array.from({ length: size + 2 }, (_, i) => verifyInclusion({ ...claim, index: i }))
        expect(accepted.map((yes, i) => (yes ? i : -1)).filter((i) => i >= 0)).toEqual([index])
      }
    }
  })

  it('fail to prove inclusion when spoiled anywhere', () => {
    fc.assert(
      fc.property(place, ({ size, index, at, byte }) => {
        const claim = inclusionOf(size, index)
        for (const proof of spoiled(claim.proof, at, byte)) {
          expect(verifyInclusion({ ...claim, proof })).toBe(false)
        }
        expect(verifyInclusion({ ...claim, leaf: flip(claim.leaf, byte) })).toBe(false)
        expect(verifyInclusion({ ...claim, root: flip(claim.root, byte) })).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('fail to prove consistency when spoiled anywhere', () => {
    fc.assert(
      fc.property(place, ({ size, index, at, byte }) => {
        const claim = consistencyOf(index + 1, size)
        for (const proof of spoiled(claim.proof, at, byte)) {
          expect(verifyConsistency({ ...claim, proof })).toBe(false)
        }
        expect(verifyConsistency({ ...claim, root1: flip(claim.root1, byte) })).toBe(false)
        expect(verifyConsistency({ ...claim, root2: flip(claim.root2, byte) })).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('are refused for indexes and sizes that are no counts, without an exception', () => {
    const [included, consistent] = [inclusionOf(8, 3), consistencyOf(3, 8)]
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 64]) {
      expect(verifyInclusion({ ...included, index: wrong })).toBe(false)
      expect(verifyInclusion({ ...included, size: wrong })).toBe(false)
      expect(verifyConsistency({ ...consistent, size1: wrong })).toBe(false)
      expect(verifyConsistency({ ...consistent, size2: wrong })).toBe(false)
    }
    expect(() => inclusionProof(leaves, MAX)).toThrow(RangeError)
    expect(() => inclusionProof([], 0)).toThrow(RangeError)
    expect(() => consistencyProof(leaves, 0)).toThrow(RangeError)
    expect(() => consistencyProof(leaves, MAX + 1)).toThrow(RangeError)
  })
})

/** RFC 6962 section 2.1.1 read backwards in whole numbers without limit: the root that a path leads to. */
function rootFrom(leaf: Uint8Array, index: bigint, size: bigint, next: () => Uint8Array): Uint8Array {
  if (size === 1n) return leaf
  const split = splitBelow(size)
  if (index < split) {
    const left = rootFrom(leaf, index, split, next)
    return nodeHash(left, next())
  }
  const right = rootFrom(leaf, index - split, size - split, next)
  return nodeHash(next(), right)
}

/** The same for section 2.1.2: both roots that a consistency path leads to. */
function rootsFrom(
  size1: bigint,
  size2: bigint,
  whole: Uint8Array | null,
  next: () => Uint8Array,
): Uint8Array[] {
  if (size1 === size2) {
    const root = whole ?? next()
    return [root, root]
  }
  const split = splitBelow(size2)
  if (size1 <= split) {
    const [small = whole, large = whole] = rootsFrom(size1, split, whole, next)
    return small && large ? [small, nodeHash(large, next())] : []
  }
  const [small, large] = rootsFrom(size1 - split, size2 - split, null, next)
  const left = next()
  return small && large ? [nodeHash(left, small), nodeHash(left, large)] : []
}

function splitBelow(size: bigint): bigint {
  let split = 1n
  while (split * 2n < size) split *= 2n
  return split
}

/** Draws hashes from a list and keeps those it drew. */
function drawing(from: readonly Uint8Array[]): { drawn: Uint8Array[]; next: () => Uint8Array } {
  const drawn: Uint8Array[] = []
  return {
    drawn,
    next: () => {
      const drew = from[drawn.length] ?? new Uint8Array(32)
      drawn.push(drew)
      return drew
    },
  }
}

describe('Merkle proofs in trees of more than 2^32 leaves', () => {
  const size = fc.bigInt({ min: 2n ** 31n - 2n, max: 2n ** 53n - 1n })
  const hashes = fc.array(hash, { minLength: 110, maxLength: 110 })
  const pair = fc.tuple(size, fc.bigInt({ min: 0n, max: 2n ** 60n })).map(([n, m]) => ({ n, m: m % n }))

  it('verify inclusion as the recursive definition does', () => {
    fc.assert(
      fc.property(pair, hash, hashes, ({ n, m }, leaf, siblings) => {
        const { drawn, next } = drawing(siblings)
        const root = rootFrom(leaf, m, n, next)
        const claim = { leaf, index: Number(m), size: Number(n), proof: drawn, root }
        expect(verifyInclusion(claim)).toBe(true)
        // 32-bit arithmetic would not see this difference.
        expect(verifyInclusion({ ...claim, index: Number(m % 2n ** 31n) })).toBe(m < 2n ** 31n)
      }),
      { numRuns: 100 },
    )
  })

  it('verify consistency as the recursive definition does', () => {
    fc.assert(
      fc.property(pair, hash, hashes, ({ n, m }, first, siblings) => {
        const { drawn, next } = drawing(siblings)
        const size1 = m + 1n
        const [root1, root2] = rootsFrom(size1, n, first, next)
        if (!root1 || !root2) throw new Error('the recursion ended early')
        const claim = { size1: Number(size1), root1, size2: Number(n), root2, proof: drawn }
        // Where the smaller tree is a whole subtree its root is not part of the proof.
        expect(verifyConsistency(claim)).toBe(true)
        if (size1 !== n) expect(verifyConsistency({ ...claim, root1: flip(root1, 0) })).toBe(false)
      }),
      { numRuns: 100, examples: [[{ n: 2n ** 53n - 1n, m: 2n ** 40n - 1n }, new Uint8Array(32), []]] },
    )
  })
})
