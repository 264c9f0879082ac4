// SPDX-License-Identifier: Apache-2.0
import type { Completeness, MonitorWord, NotComplete } from '#core/client/complete/monitor-words.ts'
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

/** What was said of one record, for programs. */
export function completeJson({ height, asOfMs, why, words }: Completeness) {
  return {
    height,
    asOf: asOfMs === null ? null : toTimestamp(asOfMs),
    why,
    monitors: words.map(({ origin, says, tree, seenMs, detail }) => ({
      origin,
      says,
      size: tree?.size ?? null,
      root: tree?.root ?? null,
      seen: seenMs === null ? null : toTimestamp(seenMs),
      detail,
    })),
  }
}

/** What is to be said where it is not known as of when one record is complete. */
export type Unknown = Readonly<Record<Exclude<NotComplete, 'too-few' | 'withheld'>, string>>

/**
 * `Complete as of 23-Nov-2026 14:05, by the monitor https://m.example`, or why that is not known. Nothing where blocks
 * are withheld, which is a problem of its own.
 */
export function recordPhrase({ asOfMs, why, words }: Completeness, need: number, unknown: Unknown): string[] {
  if (asOfMs !== null) {
    const by = words.filter(({ says }) => says === 'absent').map(({ origin }) => origin)
    const noun = by.length === 1 ? 'monitor' : 'monitors'
    return [`Complete as of ${localTime(toTimestamp(asOfMs))}, by the ${noun} ${by.join(', ')}`]
  }
  if (why === null || why === 'withheld') return []
  const reason = why === 'too-few' ? tooFew(words, need) : unknown[why]
  return [`  Not checked: whether its home holds back later blocks: ${reason}`]
}

function tooFew(words: readonly MonitorWord[], need: number): string {
  const absent = words.filter(({ says }) => says === 'absent').length
  const others = words.filter(({ says }) => says !== 'absent')
  const reasons = others.map(
    ({ origin, says, detail }) => `${origin} ${SAYS[says]}${detail && ` (${detail})`}`,
  )
  return [`${absent} of ${counted(need, 'monitor')} that must say so do`, ...reasons].join('; ')
}

const SAYS: Readonly<Record<MonitorWord['says'], string>> = {
  absent: 'has no later block',
  present: 'has a later block',
  unusable: 'looked before witnesses had seen the newest block',
  failed: 'gave no answer that counts',
}

/** What withholding the end of a record is reported as. */
export function withheldProblem(chain: string, { why, height }: Completeness): readonly Problem[] {
  if (why !== 'withheld') return []
  const detail = `a monitor has a later block of it in the log, and the home shows none after ${height}`
  return [{ chain, height: null, status: 'missing', rule: 'withheld', detail }]
}
