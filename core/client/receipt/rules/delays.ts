// SPDX-License-Identifier: Apache-2.0
import { timestampMs, type Timestamp } from '../../../bytes/timestamp.ts'
import type { Link } from '../../../chain/state.ts'
import type { JudgedReceipt } from '../judge.ts'
import { DUE_MS, type Judging } from './log-status.ts'
import { delayUnseen, type ReceiptProblem } from './receipt-problem.ts'

/**
 * By how much less than the delay witnesses may see between two blocks that kept it: each may reach them late or early.
 * Also how long after its own time a completion may be unseen: 60 s to log it, as long to be cosigned, and 120 s twice
 * between clocks, as the home's is between two others.
 */
export const DELAY_MARGIN_MS = 2 * DUE_MS

/** A step that waited: which block completed it, and which had asked for it. */
export interface CompletedDelay {
  readonly height: number
  readonly request: number
  readonly notBefore: Timestamp
}

/** The erasures and recoveries that blocks complete, in order. */
export function completedDelays(links: readonly Link[]): readonly CompletedDelay[] {
  return links.flatMap(({ opened: { block } }) => {
    if (block.type !== 'erase' && block.type !== 'recover') return []
    const { act, request, notBefore } = block.body
    return act === 'complete' && request !== null ? [{ height: block.height, request, notBefore }] : []
  })
}

/** A block as witnesses saw it. */
export interface SeenBlock {
  readonly time: Timestamp
  readonly receipt: JudgedReceipt | null
}

/**
 * Which completed steps took effect before the delay of their request can have passed, by the witnesses: from the
 * latest time at which one says that it saw the request to that since when a quorum stands behind the completion. The
 * times in the two blocks, which the chain's own rules compare, are what their authors and the home agree on. A
 * completion that is not witnessed is not judged while witnesses may still have to see it, and is found after that: a
 * home could keep it from them for ever.
 */
export function unseenDelays(
  delayed: readonly CompletedDelay[],
  seen: ReadonlyMap<number, SeenBlock>,
  judging: Judging,
): readonly ReceiptProblem[] {
  if (!judging.hasQuorum) return []
  return delayed.flatMap(({ height, request, notBefore }) => {
    const [asked, done] = [seen.get(request), seen.get(height)]
    if (!asked || !done) return []
    const delayMs = timestampMs(notBefore) - timestampMs(asked.time)
    if (delayMs <= DELAY_MARGIN_MS) return []
    const sinceMs = witnessed(done)?.sinceMs ?? null
    if (sinceMs === null)
      return isOwed(done, judging) ? [delayUnseen(height, 'no quorum of witnesses saw it')] : []
    const askedMs = witnessed(asked)?.seenMs ?? null
    if (askedMs === null) return [delayUnseen(height, `no quorum of witnesses saw its request, ${request}`)]
    if (sinceMs - askedMs >= delayMs - DELAY_MARGIN_MS) return []
    const minutes = Math.max(0, Math.floor((sinceMs - askedMs) / 60_000))
    const detail = `witnesses saw it ${minutes} minutes after its request, which had to wait ${Math.ceil(delayMs / 60_000)}`
    return [delayUnseen(height, detail)]
  })
}

/**
 * From when on a request can be completed so that witnesses will have seen its delay pass.
 * @param delayMs the delay that the request states
 * @returns ms since 1970; null when no quorum of witnesses saw the request
 */
export function delaySeenFrom(asked: SeenBlock, delayMs: number): number | null {
  const askedMs = witnessed(asked)?.seenMs ?? null
  // Half of the margin is left for the clock of whoever completes it.
  return askedMs === null ? null : askedMs + delayMs - DELAY_MARGIN_MS / 2
}

/** Witnesses ought to have seen it by now, or by when the log itself says that it signed a tree with it. */
function isOwed({ time, receipt }: SeenBlock, { nowMs }: Judging): boolean {
  return Math.max(nowMs, ...(receipt?.signedMs ?? [])) - timestampMs(time) > DELAY_MARGIN_MS
}

function witnessed(block: SeenBlock | undefined): JudgedReceipt | null {
  return block?.receipt?.level === 'witnessed' ? block.receipt : null
}
