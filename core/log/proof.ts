// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../bytes/frame.ts'
import { merkleRoot, nodeHash, splitOf } from './merkle.ts'

/** What an inclusion proof claims: this leaf stands at this index of the tree with this root. */
export interface Inclusion {
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** What a consistency proof claims: the smaller tree is a prefix of the larger one. */
export interface Consistency {
  readonly size1: number
  readonly root1: Uint8Array
  readonly size2: number
  readonly root2: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** The inclusion proof for a leaf, RFC 6962 section 2.1.1. @throws RangeError for an index outside the tree */
export function inclusionProof(leafHashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leafHashes.length)
    throw new RangeError('no such leaf')
  if (leafHashes.length === 1) return []
  const split = splitOf(leafHashes.length)
  const [left, right] = [leafHashes.slice(0, split), leafHashes.slice(split)]
  return index < split
    ? [...inclusionProof(left, index), merkleRoot(right)]
    : [...inclusionProof(right, index - split), merkleRoot(left)]
}

/** Checks an inclusion proof, RFC 9162 section 2.1.3.2. Sizes go up to 2^53-1: no 32-bit shifts. */
export function verifyInclusion({ leaf, index, size, proof, root }: Inclusion): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false
  if (![leaf, ...proof].every(isHash)) return false
  let fn = index
  let sn = size - 1
  let hash: Uint8Array = leaf
  for (const sibling of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && equalBytes(hash, root)
}

/** The consistency proof between the first `size1` leaves and all, RFC 6962 section 2.1.2. */
export function consistencyProof(leafHashes: readonly Uint8Array[], size1: number): Uint8Array[] {
  if (!isCount(size1) || size1 < 1 || size1 > leafHashes.length) throw new RangeError('no such smaller tree')
  return subproof(leafHashes, size1, true)
}

/** How many hashes that proof has, without any tree. @throws RangeError unless 1 <= size1 <= size2 */
export function consistencyProofLength(size1: number, size2: number): number {
  if (!isCount(size1) || !isCount(size2) || size1 < 1 || size1 > size2)
    throw new RangeError('no such smaller tree')
  let [start, size, length] = [0, size2, 0]
  for (; start + size > size1; length++) {
    const split = splitOf(size)
    if (size1 <= start + split) size = split
    else [start, size] = [start + split, size - split]
  }
  // From leaf 0 it is the smaller tree itself, whose root the verifier has.
  return start > 0 ? length + 1 : length
}

/** Checks a consistency proof, RFC 9162 section 2.1.4.2. */
export function verifyConsistency({ size1, root1, size2, root2, proof }: Consistency): boolean {
  // Every tree grows from the empty one, so a proof from size 0 would prove nothing.
  if (!isCount(size1) || !isCount(size2) || size1 < 1 || size1 > size2) return false
  if (size1 === size2) return proof.length === 0 && equalBytes(root1, root2)
  if (![root1, root2, ...proof].every(isHash)) return false
  const roots = climb(isPowerOfTwo(size1) ? [root1, ...proof] : proof, size1, size2)
  return roots !== null && equalBytes(roots[0], root1) && equalBytes(roots[1], root2)
}

/**
 * The consistency proof with the root of the smaller tree itself where the RFC leaves it out, because that is what the
 * verifier of `prefixRoot` is to learn and does not have.
 */
export function prefixProof(leafHashes: readonly Uint8Array[], size1: number): Uint8Array[] {
  const proof = consistencyProof(leafHashes, size1)
  return isPowerOfTwo(size1) ? [merkleRoot(leafHashes.slice(0, size1)), ...proof] : proof
}

/**
 * The root of the first `size1` leaves of the tree of `size2` leaves with `root2`, as a prefix proof shows it.
 * @returns null when the proof does not lead to `root2`, or unless 1 <= size1 < size2
 */
export function prefixRoot({ size1, size2, root2, proof }: Omit<Consistency, 'root1'>): Uint8Array | null {
  if (!isCount(size1) || !isCount(size2) || size1 < 1 || size1 >= size2) return null
  if (![root2, ...proof].every(isHash)) return null
  const roots = climb(proof, size1, size2)
  return roots && equalBytes(roots[1], root2) ? roots[0] : null
}

/** From the node where the smaller tree ends up to both roots, RFC 9162 section 2.1.4.2; null for a wrong length. */
function climb(
  path: readonly Uint8Array[],
  size1: number,
  size2: number,
): readonly [Uint8Array, Uint8Array] | null {
  const [first, ...rest] = path
  if (!first) return null
  let fn = size1 - 1
  let sn = size2 - 1
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)]
  let [fr, sr]: [Uint8Array, Uint8Array] = [first, first]
  for (const hash of rest) {
    if (sn === 0) return null
    if (fn % 2 === 1 || fn === sn) {
      ;[fr, sr] = [nodeHash(hash, fr), nodeHash(hash, sr)]
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      sr = nodeHash(sr, hash)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 ? [fr, sr] : null
}

function subproof(leafHashes: readonly Uint8Array[], size1: number, whole: boolean): Uint8Array[] {
  if (size1 === leafHashes.length) return whole ? [] : [merkleRoot(leafHashes)]
  const split = splitOf(leafHashes.length)
  const [left, right] = [leafHashes.slice(0, split), leafHashes.slice(split)]
  return size1 <= split
    ? [...subproof(left, size1, whole), merkleRoot(right)]
    : [...subproof(right, size1 - split, false), merkleRoot(left)]
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** RFC 6962 section 2.1 with SHA-256: anything but 32 bytes is no hash of a tree. */
function isHash(bytes: Uint8Array): boolean {
  return bytes.length === 32
}

function isPowerOfTwo(value: number): boolean {
  return splitOf(value) * 2 === value || value === 1
}
