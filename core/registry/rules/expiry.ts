// SPDX-License-Identifier: Apache-2.0
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { violation, type Violation } from '../../block/violation.ts'

/**
 * How far ahead an instance may expire, in milliseconds: 398 days, as long as certificates on the web last at most (CA/Browser
 * Forum, Baseline Requirements 6.3.2, as of 2020). Part of the format.
 */
export const MAX_EXPIRY_MS = 398 * 86_400_000

/** May an instance that is entered at `time` expire then? */
export function isExpiry(expires: Timestamp, time: Timestamp): boolean {
  const ahead = timestampMs(expires) - timestampMs(time)
  return ahead > 0 && ahead <= MAX_EXPIRY_MS
}

export function expiry(): Violation {
  return violation('expires', 'an instance expires after the time of the block, by at most 398 days')
}
