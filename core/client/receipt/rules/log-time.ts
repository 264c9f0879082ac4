// SPDX-License-Identifier: Apache-2.0
import { CLOCK_TOLERANCE_MS } from '../../../api/limits.ts'
import { BEFORE_BLOCK_MS } from '../../../evidence/promise.ts'
import type { JudgedReceipt } from '../judge.ts'

/**
 * What is wrong with when the log says that it signed the tree that holds a block; null when nothing is. A time that the
 * log made up would let it break its promises: evidence of those rests on it. An honest one is not after the
 * times of witnesses, who cosign what is signed, and not before the block's. A quorum must say that it is: the clock of
 * one of them that is behind says nothing of the log. It may be long before the witnesses': they may have been
 * out of reach, or cosigned the tree anew.
 * @param madeMs what the block says, in ms since 1970
 */
export function oddLogTime({ signedMs, byMs }: JudgedReceipt, madeMs: number): string | null {
  if (signedMs.length === 0) return null
  const latest = Math.max(...signedMs)
  if (byMs !== null && latest - byMs > CLOCK_TOLERANCE_MS)
    return `the log says that it signed the tree ${seconds(latest - byMs)} s after the witnesses of the policy cosigned it`
  const earliest = Math.min(...signedMs)
  if (madeMs - earliest > BEFORE_BLOCK_MS)
    return `the log says that it signed the tree ${seconds(madeMs - earliest)} s before the block in it was made`
  return null
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
