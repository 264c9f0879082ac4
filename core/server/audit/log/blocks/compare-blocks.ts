// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { compareChain } from './compare-chain.ts'
import type { Deferred } from '../rows/claims.ts'
import { remakeRows, type Remade, type Remaking } from '../rows/remake-rows.ts'

/** Which blocks are compared, and how. */
export interface ComparingAll extends Remaking {
  readonly chains: () => AsyncIterable<ChainId | Digest>
  /** The first leaf that is audited: rows are made anew only where all are. */
  readonly from: number
  readonly progress: (blocks: number) => void
}

/** Compares all blocks with their leaves, and computes the rows of chains whose rows are wrong. @returns how many were compared */
export async function compareBlocks(at: ComparingAll, suspects: Set<ChainId | Digest>): Promise<number> {
  const { claims, notes } = at
  const unlogged = new Set<ChainId | Digest>()
  let blocks = 0
  for await (const chain of at.chains()) {
    const compared = await compareChain(at, chain, at.from)
    blocks += compared.blocks
    at.progress(blocks)
    if (compared.isSuspect) suspects.add(chain)
    else if (compared.hasUnlogged) unlogged.add(chain)
  }
  // Its leaf may be one that the row of another chain claims, or one of those that are not kept.
  if (claims.isFull || claims.hasDisowned || suspects.size > 0)
    for (const chain of unlogged) suspects.add(chain)
  const isRemade = at.from === 0 && at.size > 0 && at.committed !== null
  const remade = isRemade ? await remakeRows(at, [...suspects]) : new Map<ChainId | Digest, Remade>()
  for (const finding of claims.deferred)
    if (stands(finding, remade.get(finding.chain)))
      notes.find(finding.rule, finding.status, finding.where, finding.detail)
  notes.unlisted += claims.unkept
  claims.noteUnknown(notes)
  return blocks
}

/** A finding about a block is none where only its row was wrong. */
function stands({ rule, height }: Deferred, remade: Remade | undefined): boolean {
  if (!remade) return true
  return rule === 'logged-block' ? remade.positions.has(height) : !remade.exact.has(height)
}
