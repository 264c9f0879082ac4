// SPDX-License-Identifier: Apache-2.0
import { MAX_LOG_WAIT_MS } from '#core/api/limits.ts'
import type { ParsedBlock } from '#core/block/open-block.ts'
import type { Now } from '#core/ports/keys.ts'
import type { FindReceipt, Receipt, ReceiptLevel } from '#core/server/read/receipt.ts'

/** Has the log grow, as far as this process can. */
export type LogGrown = (level: ReceiptLevel) => Promise<void>

/** How a receipt is waited for. */
export interface Waiting {
  readonly now: Now
  readonly find: FindReceipt
  readonly logGrown: LogGrown
  /** Resolves some milliseconds later: what is waited for may be the work of others, witnesses or another sequencer. */
  readonly pause: () => Promise<void>
}

/** The receipt of a stored block at the level that is waited for; null when that takes too long. */
export async function awaitReceipt(
  { now, find, logGrown, pause }: Waiting,
  { chain, block }: ParsedBlock,
  level: ReceiptLevel,
): Promise<Receipt | null> {
  const deadline = now() + MAX_LOG_WAIT_MS
  for (;;) {
    await logGrown(level)
    const receipt = await find(chain, block.height, level)
    if (receipt || now() >= deadline) return receipt
    await pause()
  }
}
