// SPDX-License-Identifier: Apache-2.0
import type { ParsedBlock } from '../../block/open-block.ts'
import { AmpereError } from '../../errors.ts'
import type { ReadTable } from '../../ports/table.ts'
import { isObjectNamed } from '../store/rows.ts'

/**
 * Entries belong to one block: with two that name the same object or the same keys, erasing in one would destroy the
 * other's. Looked for only when the object or the keys are there already, so that an append in the ordinary case
 * pays nothing and one that lost its height, and is signed again, a reading of the chain.
 * Blocks at its own height or above are not its business: with one there it will not be committed.
 * @throws AmpereError BLOCK_REFUSED when an earlier block of the chain names the object
 */
export async function refuseCopy(blocks: ReadTable, { chain, block }: ParsedBlock): Promise<void> {
  if (!block.entries) return
  if (await isObjectNamed(blocks, chain, block.entries.root, { below: block.height }))
    throw new AmpereError('BLOCK_REFUSED', 'append: another block holds these entries; seal them anew')
}
