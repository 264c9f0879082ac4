// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import type { Policy } from '../../log/policy/policy.ts'
import type { EvidenceSink } from '../client.ts'
import { receiptConvict } from '../convict/receipts.ts'
import type { ConvictLog } from '../receipt/judge-blocks.ts'
import { splitView } from '../receipt/rules/receipt-problem.ts'
import type { Trees } from '../receipt/rules/trees.ts'
import type { Said } from './judge-lookup.ts'

/** The tree in which a monitor looked, and the checkpoint with which the log signed it; null where it failed. */
export interface LookedIn {
  readonly tree: Pick<Said, 'size' | 'root'> | null
  readonly note: string | null
}

/** With what the trees of monitors are compared. */
export interface Comparing {
  /** Of the same log, under the receipts that the reader judged; those of the monitors are added. */
  readonly trees: Trees
  /** Keeps evidence; null where nobody keeps any. */
  readonly convict: Pick<ConvictLog, 'trees'> | null
}

/**
 * Compares the trees in which monitors looked, each signed by a key of the log, with each other and with those that the
 * reader was shown. A log that shows monitors one history and readers another is caught at the first size that both met.
 * @returns what is to be said of two trees of one size, or null where there are none
 */
export async function comparedTrees(
  looked: readonly LookedIn[],
  { trees, convict }: Comparing,
): Promise<string | null> {
  let said: string | null = null
  for (const { tree, note } of looked) {
    if (!tree || note === null) continue
    const { size, root } = tree
    const other = trees.add({ size, root: fromBase64url(root), note })
    if (said !== null || !trees.isSplit(size)) continue
    const kept = other ? await convict?.trees([other, note]) : ''
    said = splitView(0, size, kept ?? '').detail
  }
  return said
}

/** What keeps evidence of two trees of the log of the home at an origin; null where nobody keeps or judges any. */
export function treesConvict(
  policy: Policy | null,
  origin: string,
  sink: EvidenceSink | null,
): Comparing['convict'] {
  return policy && sink ? receiptConvict({ policy, origin, sink, blockAt }) : null
}

/** Two notes need no block beside them. */
const blockAt = () => Promise.reject(new RangeError('two trees of one size are shown by their notes'))
