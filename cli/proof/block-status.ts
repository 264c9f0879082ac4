// SPDX-License-Identifier: Apache-2.0
import type { ClosedEntry, ClosedStatus, RecordView } from '#core/client/client.ts'

/** What can be said of a block or an entry while there is no log: interface words, one meaning each. */
export type Status =
  | 'promised'
  | 'erasing'
  | 'erased'
  | 'missing'
  | 'tampered'
  | 'unopenable'
  | 'forked'
  | 'not-checked'

interface StatusWord {
  /** What it means, in a sentence. */
  readonly means: string
  /** True when something is wrong. */
  readonly isBad: boolean
  /** The worst status of several is the one with the highest rank. */
  readonly rank: number
}

const WORDS: Readonly<Record<Status, StatusWord>> = {
  promised: {
    rank: 0,
    isBad: false,
    means: 'signed and accepted by the home; there is no log yet to list it',
  },
  'not-checked': {
    rank: 1,
    isBad: false,
    means: 'it could not be checked, because of what is wrong before it',
  },
  erased: {
    rank: 2,
    isBad: false,
    means: 'erased on request; every holder has signed that its copy is gone',
  },
  erasing: {
    rank: 3,
    isBad: false,
    means: 'its erasure is ordered; not every holder has signed yet that it is done',
  },
  unopenable: { rank: 4, isBad: true, means: 'stored as signed, but its author sealed it wrongly' },
  missing: { rank: 5, isBad: true, means: 'it should be stored, and nobody asked to erase it' },
  tampered: { rank: 6, isBad: true, means: 'what is stored differs from what was signed' },
  forked: { rank: 7, isBad: true, means: 'two histories exist; rely on neither' },
}

/** The statuses of closed entries, in these words. What is not granted or not whole yet stands as signed. */
const OF_CLOSED: Readonly<Record<ClosedStatus, Status>> = {
  'not-granted': 'promised',
  incomplete: 'promised',
  erased: 'erased',
  missing: 'missing',
  tampered: 'tampered',
  unopenable: 'unopenable',
}

/** What a status means. */
export function statusWord(status: Status | ClosedStatus): StatusWord {
  return WORDS[status in WORDS ? (status as Status) : OF_CLOSED[status as ClosedStatus]]
}

/** The statuses of a block's entries, and the worst of them, which is the block's own. */
export interface BlockStatus {
  readonly status: Status
  /** How many entries have each status; those that this institution may not open count as `not-granted`. */
  readonly entries: Readonly<Record<string, number>>
  /** The check behind a bad status, empty when none failed. */
  readonly rule: string
}

/**
 * The one place that says what status a block has, from a verified view. `done` are the heights of
 * erasures that every holder has stated to be carried out, with no backup left that could hold the keys.
 */
export function blockStatus(view: RecordView, height: number, done: readonly number[]): BlockStatus {
  const counts = new Map<string, number>()
  let worst: Status = 'promised'
  let rule = ''
  const note = (word: string, status: Status, itsRule: string) => {
    counts.set(word, (counts.get(word) ?? 0) + 1)
    if (WORDS[status].rank <= WORDS[worst].rank) return
    worst = status
    rule = itsRule
  }
  for (const entry of view.opened) if (entry.height === height) note('promised', 'promised', '')
  for (const entry of view.closed) {
    if (entry.height !== height) continue
    const status = entry.status === 'erased' ? erasureOf(view, entry, done) : OF_CLOSED[entry.status]
    note(entry.status === 'erased' ? status : entry.status, status, entry.rule)
  }
  return { status: worst, entries: Object.fromEntries(counts), rule }
}

function erasureOf(
  view: RecordView,
  entry: Pick<ClosedEntry, 'height' | 'id' | 'rule'>,
  done: readonly number[],
): 'erased' | 'erasing' {
  // Its home has the key still, whatever it states.
  if (entry.rule !== '') return 'erasing'
  const orders = view.erasures.filter(({ body, height }) =>
    body.scope === 'record'
      ? entry.height < height
      : body.targets.some(({ height: at, ids }) => at === entry.height && ids.some((id) => id === entry.id)),
  )
  return orders.some(({ height }) => done.includes(height)) ? 'erased' : 'erasing'
}
