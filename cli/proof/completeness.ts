// SPDX-License-Identifier: Apache-2.0
import type { Completeness, MonitorWord, NotComplete } from '#core/client/complete/monitor-words.ts'
import { toTimestamp, type Timestamp } from '#core/bytes/timestamp.ts'
import { counted, localTime, plain } from '../terminal/words.ts'
import type { Problem } from './problem.ts'

/** As of when records are complete, all together. */
export interface CompleteCounts {
  /** The earliest time of those that are; null when none is. */
  readonly asOf: Timestamp | null
  /** How many are. */
  readonly records: number
  /** Of how many others nobody can say it, by why. */
  readonly others: Readonly<Partial<Record<NotComplete, number>>>
  /** Which monitors did not say so where too few did, and why; what one says of many records is said once. */
  readonly monitors: readonly FailedMonitor[]
}

/** A monitor whose word did not count. */
export interface FailedMonitor {
  readonly origin: string
  readonly why: string
  /** Of how many records. */
  readonly records: number
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
  forked: 'the log signed two trees of one size',
}

/** Counts what monitors say of records; records that do not verify are left out. */
export function completeCounts(all: readonly (Completeness | null)[]): CompleteCounts {
  const asked = all.filter((each) => each !== null)
  const times = asked.flatMap(({ asOfMs }) => (asOfMs === null ? [] : [asOfMs]))
  const others: Partial<Record<NotComplete, number>> = {}
  for (const { why } of asked) if (why !== null) others[why] = (others[why] ?? 0) + 1
  const asOf = times.length === 0 ? null : toTimestamp(Math.min(...times))
  return { asOf, records: times.length, others, monitors: failedMonitors(asked) }
}

function failedMonitors(all: readonly Completeness[]): readonly FailedMonitor[] {
  const failed = new Map<string, FailedMonitor>()
  const words = all.filter(({ why }) => why === 'too-few').flatMap((each) => each.words)
  for (const word of words) {
    if (word.says === 'absent') continue
    const [origin, why] = [word.origin, whyOf(word)]
    const known = failed.get(`${origin} ${why}`)
    failed.set(`${origin} ${why}`, { origin, why, records: (known?.records ?? 0) + 1 })
  }
  return [...failed.values()]
}

/** The phrase, and below it each monitor that did not say so, with the reason and where to look. */
export function completeLines(counts: CompleteCounts): string[] {
  const failed = counts.monitors.map(
    ({ origin, why, records }) => `  The monitor ${plain(origin)} ${why}: ${counted(records, 'record')}`,
  )
  return [completePhrase(counts), ...failed]
}

/** `Complete as of 23-Nov-2026 14:05`, or why that is not known. */
function completePhrase({ asOf, records, others }: CompleteCounts): string {
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

/** What is to be said where it is not known as of when one record is complete. */
export type Unknown = Readonly<Record<Exclude<NotComplete, 'too-few' | 'withheld' | 'forked'>, string>>

/**
 * `Complete as of 23-Nov-2026 14:05, by the monitor https://m.example`, or why that is not known. Nothing where blocks
 * are withheld or the log has two histories, which are problems of their own.
 */
export function recordPhrase({ asOfMs, why, words }: Completeness, need: number, unknown: Unknown): string[] {
  if (asOfMs !== null) {
    const by = words.filter(({ says }) => says === 'absent').map(({ origin }) => origin)
    const noun = by.length === 1 ? 'monitor' : 'monitors'
    return [`Complete as of ${localTime(toTimestamp(asOfMs))}, by the ${noun} ${by.join(', ')}`]
  }
  if (why === null || why === 'withheld' || why === 'forked') return []
  const reason = why === 'too-few' ? tooFew(words, need) : unknown[why]
  return [`  Not checked: whether its home holds back later blocks: ${reason}`]
}

function tooFew(words: readonly MonitorWord[], need: number): string {
  const absent = words.filter(({ says }) => says === 'absent').length
  const others = words.filter(({ says }) => says !== 'absent')
  const reasons = others.map((word) => `${plain(word.origin)} ${whyOf(word)}`)
  return [`${absent} of ${counted(need, 'monitor')} that must say so do`, ...reasons].join('; ')
}

/** What is to be said of a word, in words that follow the monitor; nothing of what somebody else wrote steers a terminal. */
function whyOf({ says, seenMs, detail }: MonitorWord): string {
  if (says === 'unusable' && detail !== '')
    return `has STOPPED and takes nothing newer of the log (${plain(detail)})`
  if (says === 'unusable' && seenMs === null)
    return 'looked in a tree that no quorum of the policy has cosigned'
  return `${SAYS[says]}${detail && ` (${plain(detail)})`}`
}

const SAYS: Readonly<Record<MonitorWord['says'], string>> = {
  absent: 'has no later block',
  present: 'has a later block',
  unusable: 'looked before witnesses had seen the newest block',
  failed: 'gave no answer that counts',
}

/** What is reported of a record whose end is held back, and of a log that showed a monitor another tree. */
export function monitorProblems(chain: string, { why, height, forked }: Completeness): readonly Problem[] {
  const detail = `a monitor has a later block of it in the log, and the home shows none after ${height}`
  const withheld = { chain, height: null, status: 'missing', rule: 'withheld', detail } as const
  const split = { chain, height: null, status: 'forked', rule: 'split-view' } as const
  return [
    ...(forked === null ? [] : [{ ...split, detail: `${forked}, one of them to a monitor` }]),
    ...(why === 'withheld' ? [withheld] : []),
  ]
}
