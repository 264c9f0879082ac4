// SPDX-License-Identifier: Apache-2.0
import type { Completeness, NotComplete } from '#core/client/complete/monitor-words.ts'
import { toTimestamp, type Timestamp } from '#core/bytes/timestamp.ts'
import { counted, localTime } from '../terminal/words.ts'
import type { Problem } from './problem.ts'

/** As of when records are complete, all together. */
export interface CompleteCounts {
  /** The earliest time of those that are; null when none is. */
  readonly asOf: Timestamp | null
  /** How many are. */
  readonly records: number
  /** Of how many others nobody can say it, by why. */
  readonly others: Readonly<Partial<Record<NotComplete, number>>>
}

/** Why, in words that follow a number of records. */
const WHY: Readonly<Record<NotComplete, string>> = {
  'no-monitor': 'no monitor',
  'no-quorum': 'no policy with a quorum',
  'no-lookup': 'no answer of a monitor in the file',
  'no-label-key': 'no label key for the next block',
  'head-not-witnessed': 'the newest block is not witnessed yet',
  'too-few': 'too few monitors say so',
  growing: 'it grew meanwhile',
  withheld: 'blocks are withheld',
}

/** Counts what monitors say of records; records that do not verify are left out. */
export function completeCounts(all: readonly (Completeness | null)[]): CompleteCounts {
  const asked = all.filter((each) => each !== null)
  const times = asked.flatMap(({ asOfMs }) => (asOfMs === null ? [] : [asOfMs]))
  const others: Partial<Record<NotComplete, number>> = {}
  for (const { why } of asked) if (why !== null) others[why] = (others[why] ?? 0) + 1
  const asOf = times.length === 0 ? null : toTimestamp(Math.min(...times))
  return { asOf, records: times.length, others }
}

/** `Complete as of 23-Nov-2026 14:05`, or why that is not known. */
export function completePhrase({ asOf, records, others }: CompleteCounts): string {
  const reasons = (Object.keys(WHY) as NotComplete[]).flatMap((why) => {
    const number = others[why]
    return number === undefined ? [] : [{ number, words: WHY[why] }]
  })
  const [only] = reasons
  if (asOf === null) {
    if (!only) return 'Completeness not checked: no records'
    return `Completeness not checked: ${reasons.map(({ words }) => words).join('; ')}`
  }
  const rest = reasons.map(({ number, words }) => `, ${counted(number, 'record')} not: ${words}`)
  return `${only ? `${counted(records, 'record')} complete` : 'Complete'} as of ${localTime(asOf)}${rest.join('')}`
}

/** What withholding the end of a record is reported as. */
export function withheldProblem(chain: string, { why, height }: Completeness): readonly Problem[] {
  if (why !== 'withheld') return []
  const detail = `a monitor has a later block of it in the log, and the home shows none after ${height}`
  return [{ chain, height: null, status: 'missing', rule: 'withheld', detail }]
}
