// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { readersOf } from '../../chain/state.ts'
import { chainDue } from '../acts/rotation/chain-due.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'
import type { LogView } from '../receipt/judge-blocks.ts'
import type { ProvenReceipt } from '../receipt/judge.ts'
import { readReceipts } from '../receipt/read-receipts.ts'
import type { LogStatus } from '../receipt/rules/log-status.ts'
import { couldOpen, type CouldOpen } from './could-open.ts'
import type { Subject } from './subject.ts'
import { isWithin, type TimeWindow } from './window.ts'

/** A block that a key of the subject signed. */
export interface WrittenBlock {
  readonly height: number
  readonly id: string
  readonly kid: string
  /** As its author says. */
  readonly time: Timestamp
  /** Entries in it; null for a block that changes who may what, or erases. */
  readonly entries: number | null
  /** What the log proves: `late` and `suspect` are what matters here. `promised` where no policy is pinned. */
  readonly status: LogStatus
  /** What its first receipt proves, with when witnesses say they saw it; null without one. */
  readonly receipt: (Omit<ProvenReceipt, 'seenMs'> & { readonly seen: Timestamp | null }) | null
}

/** What an incident comes to in one chain. */
export interface AffectedChain {
  readonly chain: ChainId
  readonly purpose: 'record' | 'access'
  /** How far the chain was read. */
  readonly height: number
  readonly written: readonly WrittenBlock[]
  readonly couldOpen: readonly CouldOpen[]
  /** Whether the subject may open what is sealed now. */
  readonly isReader: boolean
  /** Whether the chain waits for new keys because of it. */
  readonly isRotationDue: boolean
  /** Receipts that do not verify, or contradict each other: rule and height of each. */
  readonly problems: readonly { readonly height: number; readonly rule: string }[]
}

/** Looks at a chain that this institution may read, judging receipts under the pinned policy. @throws AmpereError as reading it does */
export async function affectedChain(
  connection: Connection,
  chain: ChainId,
  subject: Subject,
  window: TimeWindow,
): Promise<AffectedChain> {
  const replica = await connection.replica(chain)
  const written = signedBy(replica, subject)
  // Nothing is asked of the log for a chain that the subject never wrote to.
  const log = written.length === 0 ? null : await readReceipts(connection, replica)
  const { names } = await connection.keyring(replica)
  const nameOf = (id: Parameters<typeof names.get>[0]) => names.get(id) ?? null
  const reads = new Set(readersOf(replica.link.state))
  const { due } = chainDue(connection, replica)
  const heights = new Set<number>(written)
  return {
    chain,
    purpose: replica.link.state.purpose,
    height: replica.head.height,
    written: written
      .map((height) => writtenBlock(replica, log, height))
      .filter(({ time, receipt }) => isInWindow(window, time, receipt?.seen ?? null)),
    couldOpen: subject.readers.flatMap((reader) => couldOpen(replica, reader, window, nameOf)),
    isReader: subject.readers.some((reader) => reads.has(reader)),
    isRotationDue: due.some(({ institution }) => subject.readers.includes(institution)),
    problems: (log?.problems ?? [])
      .filter(({ height }) => heights.has(height))
      .map(({ height, rule }) => ({ height, rule })),
  }
}

function signedBy({ notes }: Replica, { keys }: Subject): readonly number[] {
  const kids = new Set<string>(keys.map(({ kid }) => kid))
  return notes.filter(({ kid }) => kids.has(kid)).map(({ height }) => height)
}

/** A thief may date back what it writes: a block counts by its own time, and by when witnesses saw it. */
function isInWindow(window: TimeWindow, time: Timestamp, seen: Timestamp | null): boolean {
  return isWithin(window, timestampMs(time)) || (seen !== null && isWithin(window, timestampMs(seen)))
}

function writtenBlock({ notes }: Replica, log: LogView | null, height: number): WrittenBlock {
  const note = notes[height]
  if (!note) throw new RangeError('a block that was verified has its note')
  const { id, kid, time, entries } = note
  const proven = log?.receipts[height] ?? null
  return {
    height,
    id,
    kid,
    time,
    entries: entries?.count ?? null,
    status: log?.statuses[height] ?? 'promised',
    receipt: proven && {
      level: proven.level,
      index: proven.index,
      size: proven.size,
      seen: proven.seenMs === null ? null : toTimestamp(proven.seenMs),
    },
  }
}
