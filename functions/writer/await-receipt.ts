// SPDX-License-Identifier: Apache-2.0
import { MAX_LOG_WAIT_MS } from '#core/api/limits.ts'
import type { Now } from '#core/ports/keys.ts'
import type { Appended } from '#core/server/append/append.ts'
import type { FindReceipt, Receipt, ReceiptLevel } from '#core/server/read/receipt.ts'
import { WaitingRoom } from './waiting-room.ts'

/** Has the log grow, as far as this process can. */
export interface LogGrowth {
  /** For a block that was stored just now: a look at the log begins after this is called. */
  readonly now: (level: ReceiptLevel) => Promise<void>
  /** For all who look again: they share looks that are spaced, however many they are. */
  readonly again: (level: ReceiptLevel) => Promise<void>
}

/** How a receipt is waited for. */
export interface Waiting {
  readonly now: Now
  readonly find: FindReceipt
  readonly grow: LogGrowth
  /** Resolves some milliseconds later: what is waited for may be the work of others, witnesses or another sequencer. */
  readonly pause: (ms: number) => Promise<void>
}

/** Milliseconds before the second look at the log; each pause that follows is twice as long. */
export const FIRST_PAUSE_MS = 10
/** The longest pause between two looks, in milliseconds. */
export const MAX_PAUSE_MS = 250

/**
 * The receipt of a stored block at the level that is waited for; null when that takes too long, where too many wait
 * already, and when `gone` aborts because nobody waits any more. A block that was there before is looked for first, so
 * that who sends an old one again has nothing begun.
 */
export type AwaitReceipt = (
  appended: Pick<Appended, 'stored' | 'isNew'>,
  level: ReceiptLevel,
  gone: AbortSignal,
) => Promise<Receipt | null>

/** Waits for receipts, and counts who waits. */
export function receiptAwaiter({ now, find, grow, pause }: Waiting): AwaitReceipt {
  const room = new WaitingRoom()
  return async ({ stored: { chain, block }, isNew }, level, gone) => {
    const look = () => find(chain, block.height, level)
    const early = isNew ? null : await look()
    if (early) return early
    return room.enter(chain, () =>
      unlessGone(gone, async (isGone) => {
        const deadline = now() + MAX_LOG_WAIT_MS
        await (isNew ? grow.now(level) : grow.again(level))
        for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
          const receipt = isGone() ? null : await look()
          if (receipt || isGone() || now() >= deadline) return receipt
          await pause(pauseMs)
          if (!isGone()) await grow.again(level)
        }
      }),
    )
  }
}

/** What `act` gives, or null as soon as `gone` aborts; `act` then ends by itself after the step that it is at. */
async function unlessGone<T>(
  gone: AbortSignal,
  act: (isGone: () => boolean) => Promise<T | null>,
): Promise<T | null> {
  if (gone.aborted) return null
  const ended = new AbortController()
  const left = new Promise<null>((resolve) => {
    gone.addEventListener('abort', () => resolve(null), { once: true, signal: ended.signal })
  })
  try {
    return await Promise.race([act(() => gone.aborted), left])
  } finally {
    ended.abort()
  }
}
