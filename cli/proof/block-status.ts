// SPDX-License-Identifier: Apache-2.0
import type { ClosedStatus, RecordView } from '#core/client/client.ts'
import type { ErasureProgress } from '#core/client/read/erasures.ts'
import { statusOf, worstStatus, type BlockStatus as ProvenStatus } from '#core/client/read/status.ts'

/** What can be said of a block or an entry while there is no log: interface words, one meaning each. */
export type Status = ProvenStatus | 'not-checked'

interface StatusWord {
  /** What it means, in a sentence. */
  readonly means: string
  /** True when something is wrong. */
  readonly isBad: boolean
}

const WORDS: Readonly<Record<Status, StatusWord>> = {
  promised: {
    isBad: false,
    means: 'signed and accepted by the home; its receipt in the log is not looked at yet',
  },
  'not-checked': {
    isBad: false,
    means: 'it could not be checked, because of what is wrong before it',
  },
  erased: {
    isBad: false,
    means: 'erased on request; every holder has signed that its copy is gone',
  },
  erasing: {
    isBad: false,
    means: 'its erasure is ordered; not every holder has signed yet that it is done',
  },
  incomplete: {
    isBad: false,
    means: 'part of a delivery whose other blocks are not there; it counts for nothing until they are',
  },
  unopenable: {
    isBad: true,
    means: 'stored as signed, but its author sealed it wrongly, or it is too large to open',
  },
  missing: { isBad: true, means: 'it should be stored, and nobody asked to erase it' },
  tampered: { isBad: true, means: 'what is stored differs from what was signed' },
  forked: { isBad: true, means: 'two histories exist; rely on neither' },
}

/** What a status means. What an institution may not open stands as signed. */
export function statusWord(status: Status | ClosedStatus): StatusWord {
  return WORDS[status === 'not-granted' ? 'promised' : status]
}

/** The statuses of a block's entries, and the worst of them, which is the block's own. */
export interface BlockStatus {
  readonly status: Status
  /** How many entries have each status; those that this institution may not open count as `not-granted`. */
  readonly entries: Readonly<Record<string, number>>
  /** The check behind a bad status, empty when none failed. */
  readonly rule: string
}

/** What a block of a verified view shows, entry by entry. */
export function blockStatus(
  view: RecordView,
  height: number,
  progress: readonly ErasureProgress[],
): BlockStatus {
  const opened = view.opened.filter((entry) => entry.height === height)
  const closed = view.closed.filter((entry) => entry.height === height)
  const shown = closed.map((entry) => ({ entry, status: statusOf(entry, view, progress) }))
  const status = worstStatus(shown.flatMap((item) => item.status ?? []))
  const counts = new Map<string, number>(opened.length > 0 ? [['promised', opened.length]] : [])
  for (const item of shown) {
    const word = item.status ?? item.entry.status
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const rule = shown.find((item) => item.status === status)?.entry.rule ?? ''
  return { status, entries: Object.fromEntries(counts), rule }
}
