// SPDX-License-Identifier: Apache-2.0
import { merkleRoot, nodeHash } from './merkle.ts'
import { subtreeSizes } from './tile/hashes.ts'

/** All that is needed to add leaves to a tree whose other hashes nobody has any more. Never changed in place. */
export interface Frontier {
  /** Number of leaves, 0..2^53-1. */
  readonly size: number
  /** Roots of the complete subtrees that the leaves consist of, the largest (leftmost) first; 32 bytes each. */
  readonly hashes: readonly Uint8Array[]
}

/** The frontier of the tree without leaves. */
export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] }

/** Whether there are as many hashes as complete subtrees. What they are, `frontierRoot` shows. */
export function isFrontier({ size, hashes }: Frontier): boolean {
  return subtreeSizes(size).length === hashes.length
}

/** Root of the tree, RFC 9162 section 2.1.1: the subtrees are joined from the right. */
export function frontierRoot({ hashes }: Frontier): Uint8Array {
  if (hashes.length === 0) return merkleRoot([])
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}

/** The frontier with more leaves at the right. */
export function extendFrontier(frontier: Frontier, leafHashes: readonly Uint8Array[]): Frontier {
  const hashes = [...frontier.hashes]
  let { size } = frontier
  for (const leaf of leafHashes) {
    let root: Uint8Array = leaf
    // Each subtree that the new leaf completes: as many as the size has ones at its binary end.
    for (let left = size; left % 2 === 1; left = Math.floor(left / 2)) {
      const sibling = hashes.pop()
      if (!sibling) throw new RangeError('a frontier has too few hashes')
      root = nodeHash(sibling, root)
    }
    hashes.push(root)
    size++
  }
  return { size, hashes }
}
