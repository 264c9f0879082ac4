// SPDX-License-Identifier: Apache-2.0
import { CLOCK_TOLERANCE_MS, LOGGED_WITHIN_MS } from '../../api/limits.ts'
import type { ProvenReceipt } from './judge.ts'

/** What the log says of a block (docs/PROTOCOL.md, Status). */
export type LogStatus = 'witnessed' | 'logged' | 'promised' | 'overdue' | 'suspect' | 'late'

/** A revocation of the key that signed a block. */
export interface Revocation {
  /** Where the block of the registry that revoked it lies in the same log; null while nothing proves that. */
  readonly index: number | null
  /** When the registry says that it was made, in ms since 1970. */
  readonly timeMs: number
  readonly compromised: boolean
  /** Of a compromised key: from when on it may have been in other hands, in ms since 1970. */
  readonly suspectFromMs: number | null
}

/** A block that is to be judged by its place in the log. */
export interface PlacedBlock {
  /** What the block says, in ms since 1970. */
  readonly timeMs: number
  /** Proven, or null when there is none. */
  readonly receipt: ProvenReceipt | null
  /** Of its author's key; null while it is good. */
  readonly revocation: Revocation | null
}

/**
 * The word for a block at `nowMs`. Back-dating does not help a thief: what counts is where its leaf is, and when
 * witnesses say that they saw it. A home may be as far from the author's clock as it accepts, so `overdue` is said
 * only beyond both. Where the log does not show the revocation that it owes, nobody can say what came before it.
 */
export function logStatus({ timeMs, receipt, revocation }: PlacedBlock, nowMs: number): LogStatus {
  if (revocation && isLate(receipt, revocation)) return 'late'
  if (revocation && isSuspect(receipt, revocation)) return 'suspect'
  if (revocation?.index === null && isDue(revocation.timeMs, nowMs)) return 'suspect'
  if (receipt) return receipt.level
  return isDue(timeMs, nowMs) ? 'overdue' : 'promised'
}

/** True when what was acknowledged at `timeMs` ought to be in the log. */
function isDue(timeMs: number, nowMs: number): boolean {
  return nowMs - timeMs > LOGGED_WITHIN_MS + CLOCK_TOLERANCE_MS
}

/** Its leaf follows that of the revocation. */
function isLate(receipt: ProvenReceipt | null, { index }: Revocation): boolean {
  return receipt !== null && index !== null && receipt.index > index
}

/** No witness saw it before its author's key may have been in other hands. */
function isSuspect(receipt: ProvenReceipt | null, { compromised, suspectFromMs }: Revocation): boolean {
  if (!compromised || suspectFromMs === null) return false
  const seenMs = receipt?.level === 'witnessed' ? receipt.seenMs : null
  return seenMs === null || seenMs >= suspectFromMs
}
