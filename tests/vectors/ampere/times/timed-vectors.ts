// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '#core/bytes/ids.ts'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'
import {
  datedAhead,
  endedGrant,
  endedGrantUnseen,
  erasedAfter,
  erasedUnseen,
  lateRevocation,
  unloggedForgery,
  type TimedRecord,
} from '#tests/core/client/receipt/timed-records.ts'
import { witnessBehind } from '#tests/core/client/receipt/witness-behind.ts'

/** What is expected of the exports of this folder, which one policy judges. */
export interface TimedVectors {
  readonly policy: string
  readonly vectors: readonly {
    readonly name: string
    readonly registry: Digest
    readonly statuses: readonly string[]
    readonly problems: readonly { readonly height: number; readonly status: string; readonly rule: string }[]
  }[]
}

/** Records whose times somebody bent, by name. */
export const TIMED: readonly { readonly name: string; readonly make: () => Promise<TimedRecord> }[] = [
  { name: 'late-revocation', make: () => lateRevocation() },
  {
    name: 'unlogged-and-dated-2100',
    make: () => unloggedForgery(toTimestamp(timestampMs('2100-01-01T00:00:00.000Z'))),
  },
  { name: 'dated-ahead', make: () => datedAhead(241_000) },
  { name: 'ended-grant', make: () => endedGrant(182_000) },
  { name: 'late-revocation-dated-back', make: () => lateRevocation(170_000) },
  { name: 'ended-grant-dated-back', make: () => endedGrant(182_000, 100_000) },
  { name: 'ended-grant-unseen-dated-back', make: () => endedGrantUnseen(182_000, 100_000) },
  { name: 'witness-behind', make: () => witnessBehind(110_000, 20_000) },
  { name: 'erased-early', make: () => erasedAfter(361_000, 72 * 3_600_000) },
  { name: 'erased-unseen', make: () => erasedUnseen(361_000) },
]

/** Makes one anew. @throws RangeError for an unknown name */
export function timedRecord(name: string): Promise<TimedRecord> {
  const known = TIMED.find((item) => item.name === name)
  if (!known) throw new RangeError(`no record is called ${name}`)
  return known.make()
}
