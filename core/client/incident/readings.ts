// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromUtf8 } from '../../bytes/encoding.ts'
import { count, timestamp } from '../../bytes/schema.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import type { OpenedEntry, RecordView } from '../client.ts'
import type { Subject } from './subject.ts'
import { isWithin, type TimeWindow } from './window.ts'

/** Readings of one record by one user of one key, as the access chain has them. What was read is not said: it may be medical. */
export interface Readings {
  readonly kid: string
  readonly user: string
  readonly role: string
  readonly purpose: string
  readonly count: number
  readonly resources: number
  readonly first: Timestamp
  readonly last: Timestamp
}

/** Access events of a subject, and those of it that cannot be read. */
export interface KnownReadings {
  readonly by: readonly Readings[]
  /** Entries that its keys signed and that are no access events, so that nothing is known of them. */
  readonly unreadable: number
}

/** Of an event only this is used; others of its members name what was read. */
const eventSchema = v.object({
  at: timestamp,
  user: v.pipe(v.string(), v.maxLength(256)),
  role: v.pipe(v.string(), v.maxLength(64)),
  purpose: v.pipe(v.string(), v.maxLength(64)),
  resources: count,
})

/** Which readings the subject's keys entered, added up by user, in order of the first. */
export function knownReadings(
  view: Pick<RecordView, 'opened'>,
  { keys }: Subject,
  window: TimeWindow,
): KnownReadings {
  const kids = new Set<string>(keys.map(({ kid }) => kid))
  const groups = new Map<string, Readings>()
  let unreadable = 0
  for (const entry of view.opened.filter(({ author }) => kids.has(author))) {
    const event = eventOf(entry)
    if (!event) unreadable++
    else if (isWithin(window, timestampMs(event.at))) add(groups, entry.author, event)
  }
  const by = [...groups.values()].toSorted((a, b) => (a.first < b.first ? -1 : 1))
  return { by, unreadable }
}

type AccessEvent = v.InferOutput<typeof eventSchema>

function add(groups: Map<string, Readings>, kid: string, { at, resources, ...who }: AccessEvent): void {
  const key = JSON.stringify([kid, who.user, who.role, who.purpose])
  const before = groups.get(key)
  groups.set(key, {
    kid,
    ...who,
    count: (before?.count ?? 0) + 1,
    resources: (before?.resources ?? 0) + resources,
    first: before && before.first < at ? before.first : at,
    last: before && before.last > at ? before.last : at,
  })
}

function eventOf({ content }: OpenedEntry): AccessEvent | null {
  try {
    const parsed = v.safeParse(eventSchema, JSON.parse(fromUtf8(content)))
    return parsed.success ? parsed.output : null
  } catch {
    return null
  }
}
