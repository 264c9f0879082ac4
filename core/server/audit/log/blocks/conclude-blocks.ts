// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import type { Deferred } from '../rows/claims.ts'
import { remakeRows, type Remade, type Remaking } from '../rows/remake-rows.ts'

/** Says which findings about blocks stand, and computes the rows of chains whose rows are wrong. */
export async function concludeBlocks(
  at: Remaking,
  {
    suspects,
    unlogged,
    from,
  }: {
    readonly suspects: Set<ChainId | Digest>
    readonly unlogged: ReadonlySet<ChainId | Digest>
    /** The first leaf that is audited: rows are made anew only where all are. */
    readonly from: number
  },
): Promise<void> {
  const { claims, notes } = at
  // Its leaf may be one that the row of another chain claims, or one of those that are not kept.
  if (claims.isFull || claims.hasDisowned || suspects.size > 0)
    for (const chain of unlogged) suspects.add(chain)
  const isRemade = from === 0 && at.size > 0 && at.committed !== null
  const remade = isRemade ? await remakeRows(at, [...suspects]) : new Map<ChainId | Digest, Remade>()
  for (const finding of claims.deferred)
    if (stands(finding, remade.get(finding.chain)))
      notes.find(finding.rule, finding.status, finding.where, finding.detail)
  notes.unlisted += claims.unkept
  claims.noteUnknown(notes)
}

/** A finding about a block is none where only its row was wrong. */
function stands({ rule, height }: Deferred, remade: Remade | undefined): boolean {
  if (!remade) return true
  return rule === 'logged-block' ? remade.positions.has(height) : !remade.exact.has(height)
}
