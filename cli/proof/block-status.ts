// SPDX-License-Identifier: Apache-2.0
import type { ClosedStatus, RecordView } from '#core/client/client.ts'
import type { ErasureProgress } from '#core/client/read/erasures.ts'
import type { LogView } from '#core/client/receipt/judge-blocks.ts'
import type { LogStatus } from '#core/client/receipt/rules/log-status.ts'
import { statusOf, worstStatus, type BlockStatus as ProvenStatus } from '#core/client/read/status.ts'

/** What can be said of a block or an entry: interface words, one meaning each. */
export type Status = ProvenStatus | 'not-checked'

interface StatusWord {
  /** What it means, in a sentence. */
  readonly means: string
  /** True when something is wrong. */
  readonly isBad: boolean
}

const WORDS: Readonly<Record<Status, StatusWord>> = {
  witnessed: { isBad: false, means: 'in the log, and as many witnesses as your policy wants saw that' },
  logged: { isBad: false, means: 'in the log of its home; not enough witnesses have seen that' },
  promised: {
    isBad: false,
    means: 'signed and accepted by the home, which owes its receipt; or you have no policy to judge that by',
  },
  overdue: { isBad: true, means: 'the home promised to log it within 60 s, and has not' },
  suspect: {
    isBad: false,
    means: 'nobody witnessed it while its key and its grant were good, or its time is not what they saw',
  },
  late: { isBad: true, means: 'logged after the key that signed it was revoked' },
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
  /** What the log says of it, whatever else is the matter. */
  readonly logged: LogStatus
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
  log: LogView | null = null,
): BlockStatus {
  const opened = view.opened.filter((entry) => entry.height === height)
  const closed = view.closed.filter((entry) => entry.height === height)
  const shown = closed.map((entry) => ({ entry, status: statusOf(entry, view, progress) }))
  const logged = log?.statuses[height] ?? 'promised'
  const problem = log?.problems.find((item) => item.height === height)
  const others = shown.flatMap((item) => item.status ?? [])
  const status = worstStatus(logged, problem ? [...others, problem.status] : others)
  const counts = new Map<string, number>(opened.length > 0 ? [[logged, opened.length]] : [])
  for (const item of shown) {
    const word = item.status ?? item.entry.status
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const rule = shown.find((item) => item.status === status)?.entry.rule ?? problem?.rule ?? ''
  return { status, logged, entries: Object.fromEntries(counts), rule }
}
