// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../../bytes/encoding.ts'

/** A tree that the log signed, with the note in which it did. */
export interface SignedTree {
  /** Leaves. */
  readonly size: number
  readonly root: Uint8Array
  readonly note: string
}

/**
 * The trees under the receipts that a reader judged of one log: of several chains, several files, or both. A log that
 * has one history signs one root of a size, so a second root is a split view. Of different sizes receipts show nothing:
 * they hold no consistency proof.
 */
export interface Trees {
  /** @returns the note of the first tree of that size if it had another root, '' where that note was not kept; else null */
  add(tree: SignedTree): string | null
  /** Whether two roots of a size are known. */
  isSplit(size: number): boolean
  /** The notes that are kept, each of another size. */
  notes(): readonly string[]
}

/** Trees of the log of the home at an origin. */
export type TreesOf = (home: string) => Trees

/** Knows no tree of any log yet. */
export function createTreesOf(): TreesOf {
  const known = new Map<string, Trees>()
  return (home) => {
    const trees = known.get(home) ?? createTrees()
    known.set(home, trees)
    return trees
  }
}

/** Characters of notes that are kept for evidence: some thousand checkpoints with cosignatures. Of more, trees are compared all the same. */
const KEPT_CHARACTERS = 16 * 1024 * 1024

/** Knows no tree yet. */
export function createTrees(): Trees {
  const first = new Map<number, { readonly root: string; readonly note: string }>()
  const split = new Set<number>()
  let kept = 0
  return {
    add: ({ size, root, note }) => {
      const text = toBase64url(root)
      const known = first.get(size)
      if (!known) {
        const isKept = kept + note.length <= KEPT_CHARACTERS
        if (isKept) kept += note.length
        first.set(size, { root: text, note: isKept ? note : '' })
        return null
      }
      if (known.root === text) return null
      split.add(size)
      return known.note
    },
    isSplit: (size) => split.has(size),
    notes: () => [...first.values()].flatMap(({ note }) => (note === '' ? [] : [note])),
  }
}
