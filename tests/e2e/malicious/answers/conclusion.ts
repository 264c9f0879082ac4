// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util'
import type { ChainId } from '#core/bytes/ids.ts'
import { readErasures } from '#core/client/acts/state-erased.ts'
import type { ClosedEntry, OpenedEntry, RecordView } from '#core/client/client.ts'
import { checkComplete } from '#core/client/complete/completeness.ts'
import type { Connection } from '#core/client/connect.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { isAmpereError } from '#core/errors.ts'

/** All that a reader concludes of a record: what it shows, and what it says of it. */
export async function conclusionOf(connection: Connection, record: ChainId) {
  const view = await connection.read(record)
  const replica = await connection.replica(record)
  const log = await readReceipts(connection, replica)
  const complete = await checkComplete(connection, replica, log)
  const progress = await readErasures(connection, record)
  return {
    ...shown(view),
    height: view.height,
    head: view.head,
    erasures: view.erasures,
    log,
    complete,
    progress,
  }
}
export type Conclusion = Awaited<ReturnType<typeof conclusionOf>>

/** The entries of a view, opened and closed. */
export function shown({ opened, closed }: Pick<RecordView, 'opened' | 'closed'>): Shown {
  return { opened, closed }
}
export interface Shown {
  readonly opened: readonly OpenedEntry[]
  readonly closed: readonly ClosedEntry[]
}

/** What is refused, by code and rule. @throws whatever is no AmpereError */
export function refusal(error: unknown): string {
  if (!isAmpereError(error)) throw error
  return [error.code, ...(/^rule [a-z-]+/.exec(error.message) ?? [])].join(' ')
}

/**
 * How the entries that are shown differ from those that an honest home shows.
 * @throws RangeError if one is shown that was never written so, or is missing without a word
 */
export function entriesSay(honest: Shown, now: Shown): readonly string[] {
  const places = ({ opened, closed }: Shown) =>
    [...opened, ...closed].map(({ height, index }) => `${height}.${index}`).toSorted()
  if (!isDeepStrictEqual(places(now), places(honest)))
    throw new RangeError('entries are missing, or there are more')
  for (const entry of now.opened)
    if (!honest.opened.some((own) => isDeepStrictEqual(own, entry)))
      throw new RangeError('an entry is shown that was not written so')
  return now.closed.flatMap((entry) => {
    if (honest.closed.some((own) => isDeepStrictEqual(own, entry))) return []
    return [`${entry.status} ${entry.rule}`]
  })
}

/**
 * How a conclusion differs from that of who is answered honestly: no word where it does not.
 * @throws RangeError if it claims what the honest one does not
 */
export function differences(honest: Conclusion, now: Conclusion): readonly string[] {
  const { height, head, erasures } = now
  if (!isDeepStrictEqual([height, head, erasures], [honest.height, honest.head, honest.erasures]))
    throw new RangeError('another record is shown')
  return [
    ...entriesSay(honest, now),
    ...logSays(honest, now),
    ...monitorsSay(honest, now),
    ...erasuresSay(honest, now),
  ]
}

function logSays({ log: honest }: Conclusion, { log }: Conclusion): readonly string[] {
  if (!honest || !log) throw new RangeError('receipts are judged')
  const lower = log.statuses.flatMap((status, i) =>
    status === honest.statuses[i] ? [] : [`${honest.statuses[i]} is ${status}`],
  )
  if (lower.some((word) => !/^witnessed is (logged|promised|overdue)$/.test(word)))
    throw new RangeError(lower.join())
  for (const [i, receipt] of log.receipts.entries())
    if (receipt && receipt.index !== honest.receipts[i]?.index)
      throw new RangeError('another place is proved')
  const times = log.receipts.some((receipt, i) => (receipt?.seenMs ?? 0) > (honest.receipts[i]?.seenMs ?? 0))
  if (times) throw new RangeError('a later time is proved')
  return [...lower, ...log.problems.map(({ status, rule }) => `${status} ${rule}`)]
}

function monitorsSay({ complete: honest }: Conclusion, { complete }: Conclusion): readonly string[] {
  if (isDeepStrictEqual(honest, complete)) return []
  if ((complete.asOfMs ?? 0) > (honest.asOfMs ?? 0)) throw new RangeError('complete as of a later time')
  return [
    `complete: ${complete.why}`,
    ...complete.words.map(({ says }) => says).filter((says) => says !== 'absent'),
  ]
}

function erasuresSay({ progress: honest }: Conclusion, { progress }: Conclusion): readonly string[] {
  return progress.flatMap((step, i) => {
    const own = honest[i]
    if (isDeepStrictEqual(step, own)) return []
    if (step.status === 'erased' || step.stated.some((store) => own?.stated.includes(store) !== true))
      throw new RangeError('more is stated to be erased')
    return ['not stated']
  })
}
