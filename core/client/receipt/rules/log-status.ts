// SPDX-License-Identifier: Apache-2.0
import { CLOCK_TOLERANCE_MS, LOGGED_WITHIN_MS } from '../../../api/limits.ts'
import type { ProvenReceipt } from '../judge.ts'

/** What the log says of a block (docs/PROTOCOL.md, Status). */
export type LogStatus = 'witnessed' | 'logged' | 'promised' | 'overdue' | 'suspect' | 'late'

/** A revocation of the key that signed a block. */
export interface Revocation {
  /** Where the block of the registry that revoked it lies in the log of a home; null while nothing proves that. */
  readonly index: number | null
  /** Origin of that home. */
  readonly home: string
  /** When it was made, in ms since 1970: what the registry says, or when witnesses saw it where that is earlier. */
  readonly timeMs: number
  readonly reason: 'retired' | 'suspended' | 'compromised'
  /** Of a compromised key: from when on it may have been in other hands, in ms since 1970. */
  readonly suspectFromMs: number | null
}

/** A block that is to be judged by its place in the log. */
export interface PlacedBlock {
  /** What the block says, in ms since 1970. */
  readonly timeMs: number
  /** Origin of the home in whose log it is. */
  readonly home: string
  /** Proven, or null when there is none. */
  readonly receipt: ProvenReceipt | null
  /** Of its author's key; null while it is good. */
  readonly revocation: Revocation | null
  /** When the grant by which it was written ends, in ms since 1970; null where it does not, or none was needed. */
  readonly grantEndsMs: number | null
}

/** Whose word a verifier takes for when something was there. */
export interface Judging {
  /** The time of judging, in ms since 1970. */
  readonly nowMs: number
  /** The same for what must have been seen before a right ended; never before `nowMs`. */
  readonly endsMs: number
  /** The policy asks for witnesses: a receipt without their quorum says nothing about when. */
  readonly hasQuorum: boolean
}

/** How far a block's time may be after that of whoever saw it: the home's clock is between, 120 s from both. */
export const DATED_AHEAD_MS = 2 * CLOCK_TOLERANCE_MS
/** How long after something was said the log shows it at the latest: 60 s to log it, 120 s between clocks. */
export const DUE_MS = LOGGED_WITHIN_MS + CLOCK_TOLERANCE_MS

/**
 * The word for a block. Back-dating does not help a thief, nor does a home that logs a revocation when it likes: what
 * counts is where its leaf is, and when witnesses say that they saw it. A home may be as far from the author's clock as
 * it accepts, so `overdue` is said only beyond both. Where the log does not show the revocation that it owes, nobody can
 * say what came before it.
 */
export function logStatus(block: PlacedBlock, judging: Judging): LogStatus {
  const { receipt, revocation, grantEndsMs } = block
  if (revocation && isLate(block, revocation)) return 'late'
  if (revocation && (isSuspect(receipt, revocation) || isUnordered(block, revocation))) return 'suspect'
  if (revocation?.index === null && isDue(revocation.timeMs, judging.endsMs)) return 'suspect'
  const ends = [revocation?.timeMs ?? null, grantEndsMs]
  if (ends.some((endMs) => endMs !== null && isUnseenBy(endMs, receipt, judging))) return 'suspect'
  if (receipt) return receipt.level
  return isOverdue(block, judging) ? 'overdue' : 'promised'
}

/** The home owes its receipt, whatever else is said of it. */
export function isOverdue(
  { timeMs, receipt }: Pick<PlacedBlock, 'timeMs' | 'receipt'>,
  { nowMs }: Pick<Judging, 'nowMs'>,
): boolean {
  return !receipt && isDue(timeMs, nowMs)
}

/** Its time is later than anybody's clock can have been when it was there: an honest home would have refused it. */
export function isDatedAhead(
  { timeMs, receipt }: Pick<PlacedBlock, 'timeMs' | 'receipt'>,
  { nowMs }: Pick<Judging, 'nowMs'>,
): boolean {
  const seenMs = receipt?.level === 'witnessed' ? receipt.seenMs : null
  return timeMs - Math.min(nowMs, seenMs ?? nowMs) > DATED_AHEAD_MS
}

/** True when what was acknowledged at `timeMs` ought to be in the log. */
function isDue(timeMs: number, nowMs: number): boolean {
  return nowMs - timeMs > DUE_MS
}

/**
 * Nobody whom the verifier trusts saw it by when its author could last have written it. Of a receipt the latest time
 * counts that a witness names, so that none of them alone can make a block look older than it is. That it was seen after
 * the end is so at any time of judging, which in a file the home states.
 */
function isUnseenBy(endMs: number, receipt: ProvenReceipt | null, { endsMs, hasQuorum }: Judging): boolean {
  const seenMs = receipt?.level === 'witnessed' ? receipt.seenMs : null
  if (seenMs !== null) return seenMs - endMs > DUE_MS
  return isDue(endMs, endsMs) && (!receipt || hasQuorum)
}

/** Its leaf follows that of the revocation. Places in two logs say nothing of each other: `isUnordered`. */
function isLate({ receipt, home }: PlacedBlock, revocation: Revocation): boolean {
  const { index } = revocation
  return receipt !== null && index !== null && revocation.home === home && receipt.index > index
}

/**
 * It is in the log of a home that its chain left, so that no place says what came first, its author's key is in other hands, or may
 * be, and no quorum saw it before that was said. Without this a move would wash `late` off. Who retired a key trusts what it signed.
 */
function isUnordered({ receipt, home }: PlacedBlock, revocation: Revocation): boolean {
  if (home === revocation.home || revocation.reason === 'retired') return false
  const seenMs = receipt?.level === 'witnessed' ? receipt.seenMs : null
  return seenMs === null || seenMs >= revocation.timeMs
}

/** No witness saw it before its author's key may have been in other hands. */
function isSuspect(receipt: ProvenReceipt | null, { reason, suspectFromMs }: Revocation): boolean {
  if (reason !== 'compromised' || suspectFromMs === null) return false
  const seenMs = receipt?.level === 'witnessed' ? receipt.seenMs : null
  return seenMs === null || seenMs >= suspectFromMs
}
