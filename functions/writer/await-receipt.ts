// SPDX-License-Identifier: Apache-2.0
import { MAX_LOG_WAIT_MS } from '#core/api/limits.ts'
import type { ParsedBlock } from '#core/block/open-block.ts'
import type { Now } from '#core/ports/keys.ts'
import { findReceipt, type Receipt, type ReceiptLevel, type ReceiptPorts } from '#core/server/read/receipt.ts'

/** Resolves when the log may have grown since it was called, in its own time: it is asked again and again. */
export type LogGrown = (level: ReceiptLevel) => Promise<void>

/** The receipt of a stored block at the level that is waited for; null when that takes too long. */
export async function awaitReceipt(
  ports: ReceiptPorts & { readonly now: Now },
  { chain, block }: ParsedBlock,
  level: ReceiptLevel,
  logGrown: LogGrown,
): Promise<Receipt | null> {
  const deadline = ports.now() + MAX_LOG_WAIT_MS
  do {
    const receipt = await findReceipt(ports, chain, block.height, level)
    if (receipt) return receipt
    await logGrown(level)
  } while (ports.now() < deadline)
  return null
}
