// SPDX-License-Identifier: Apache-2.0
import type { BlockId, ChainId } from '../../bytes/ids.ts'
import { createTreesOf, type TreesOf } from './rules/trees.ts'

/** A block of a verified history. */
export interface ShownBlock {
  readonly height: number
  readonly id: BlockId
  readonly compact: string
  /** The tlog-proof, if it verified; else null. */
  readonly receipt: string | null
}

/** What one reader was shown, of whatever homes: a home that shows two histories shows neither of them twice. */
export interface Shown {
  readonly treesOf: TreesOf
  /**
   * Adds the blocks of a chain, from its genesis on.
   * @returns those at whose height another block was shown before, with that one first
   */
  addBlocks(chain: ChainId, blocks: readonly ShownBlock[]): readonly (readonly [ShownBlock, ShownBlock])[]
}

/** Has been shown nothing yet. */
export function createShown(): Shown {
  const chains = new Map<ChainId, Map<number, ShownBlock>>()
  return {
    treesOf: createTreesOf(),
    addBlocks: (chain, blocks) => {
      const known = chains.get(chain) ?? new Map<number, ShownBlock>()
      chains.set(chain, known)
      return blocks.flatMap((block) => {
        const before = known.get(block.height)
        if (before && before.id !== block.id) return [[before, block] as const]
        // A receipt that came later than its block serves as well.
        if (!before?.receipt) known.set(block.height, block)
        return []
      })
    },
  }
}
