// SPDX-License-Identifier: Apache-2.0
import type { LogView } from '../receipt/judge-blocks.ts'
import type { LogStatus } from '../receipt/rules/log-status.ts'

/** How many blocks the log says what of; null where nobody judged their receipts. */
export type LogCounts = Readonly<Record<LogStatus, number>> | null

/** Counts the words that the log has for blocks, of one record or of several. */
export function logCounts(views: readonly (LogView | null)[]): LogCounts {
  const counts = { witnessed: 0, logged: 0, promised: 0, overdue: 0, suspect: 0, late: 0 }
  for (const view of views) {
    if (!view) return null
    for (const status of view.statuses) counts[status]++
  }
  return counts
}

/** `12 witnessed`, or with more words `9 witnessed, 2 logged and not witnessed, 1 promised`; `mark` follows `witnessed`. */
export function logPhrase(counts: LogCounts, mark = ''): string {
  if (!counts) return 'receipts not judged'
  const { logged, ...others } = counts
  const marked = (word: string) => (word === 'witnessed' ? `${word}${mark}` : word)
  const parts = Object.entries(others).flatMap(([word, count]) =>
    count > 0 ? [`${count} ${marked(word)}`] : [],
  )
  if (logged > 0) parts.splice(counts.witnessed > 0 ? 1 : 0, 0, `${logged} logged and not witnessed`)
  return parts.join(', ') || 'no blocks'
}
