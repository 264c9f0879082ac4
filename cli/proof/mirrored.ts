// SPDX-License-Identifier: Apache-2.0
import type { MirrorWord } from '#core/client/mirrored/check-mirrored.ts'
import { counted, localTime, plain } from '../terminal/words.ts'
import type { Problem } from './problem.ts'

/** `Mirrored up to block 4 of 5 by st-mary (https://st-mary.example) as of 23-Nov-2026 14:05`, one line for each mirror. */
export function mirrorLines(words: readonly MirrorWord[], height: number): readonly string[] {
  return words.map((word) => {
    const who = `${word.institution}${word.origin === null ? '' : ` (${plain(word.origin)})`}`
    if (word.says === 'mirrored' && word.time !== null) {
      const rest = word.height !== null && word.height < height ? ` of ${height}` : ''
      return `Mirrored up to block ${word.height}${rest} by ${who} as of ${localTime(word.time)}`
    }
    if (word.says === 'nothing') return `Not mirrored yet by ${who}`
    if (word.says === 'failed') return `Not known to be mirrored by ${who}: ${word.detail}`
    return `Mirrored otherwise by ${who}: ${word.detail}`
  })
}

/** What mirrors say of several records, in one line; none where no mirror is granted any of them. */
export function mirrorSummary(
  records: readonly { readonly height: number; readonly words: readonly MirrorWord[] }[],
): readonly string[] {
  const granted = records.filter(({ words }) => words.length > 0)
  if (granted.length === 0) return []
  const whole = granted.filter(({ height, words }) => heldUpTo(words) >= height)
  const part = granted.filter(({ height, words }) => heldUpTo(words) >= 0 && heldUpTo(words) < height)
  const times = granted.flatMap(({ words }) =>
    words.flatMap(({ says, time }) => (says === 'mirrored' && time !== null ? [time as string] : [])),
  )
  const by = [
    ...new Set(
      granted.flatMap(({ words }) =>
        words.flatMap((word) => (word.says === 'mirrored' ? [word.institution] : [])),
      ),
    ),
  ]
  const none = granted.length - whole.length - part.length
  const [oldest] = times.toSorted()
  return [
    [
      `Mirrored: ${counted(whole.length, 'record')} up to the newest block`,
      ...(part.length > 0 ? [`${part.length} up to an older one`] : []),
      ...(none > 0 ? [`${none} not known to be`] : []),
      ...(records.length > granted.length ? [`${records.length - granted.length} without a mirror`] : []),
    ].join(', ') + (oldest === undefined ? '' : `, by ${by.join(', ')}, as of ${localTime(oldest)} or later`),
  ]
}

/** The highest block that a mirror holds; -1 where none is known. */
function heldUpTo(words: readonly MirrorWord[]): number {
  return Math.max(-1, ...words.flatMap(({ says, height }) => (says === 'mirrored' ? [height ?? -1] : [])))
}

/** What a home contradicts that it stated to a mirror. */
export function mirrorProblems(chain: string, words: readonly MirrorWord[]): readonly Problem[] {
  return words.flatMap(({ says, height, institution, detail }) => {
    if (says !== 'forked' && says !== 'rolled-back') return []
    const status = says === 'forked' ? 'forked' : 'missing'
    return [{ chain, height, status, rule: says, detail: `${detail} (mirror of ${institution})` }]
  })
}
