// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import type { Finding, FindingKind } from './against/findings.ts'
import type { MonitoredLog, Noted } from './monitored-row.ts'

/** A checkpoint that a log shows now, signed by it. */
export interface Shown extends Noted {
  /** Since when the quorum of the monitor's policy stands behind it (`quorumTime`), in POSIX seconds; null without it. */
  readonly since: number | null
}

/** The same of what is stored, by the policy that the monitor has now. */
export interface Since {
  /** Of the target, or without one of what is verified. */
  readonly newest: number | null
  readonly cosigned: number | null
}

/** What is to be stored before anything is copied (null: nothing), or what speaks against the log. */
export interface JudgedShown {
  readonly next: MonitoredLog | null
  readonly finding: Finding | null
}

/**
 * Judges a checkpoint by those that the log showed before. A larger one becomes the target, unless there is one, which
 * comes first; the same one takes the place of the older note if a quorum stands behind it since a later time. Whoever is
 * between can show an older note again: that moves no time back.
 */
export function judgeShown(log: MonitoredLog, shown: Shown, since: Since): JudgedShown {
  const { verified, target } = log
  const newest = target ?? verified
  for (const known of [verified, target])
    if (known && isOtherTree(known, shown)) return against(log, 'same-size', known, shown)
  if (newest && shown.checkpoint.size < newest.checkpoint.size) return against(log, 'rollback', newest, shown)
  if (!newest || shown.checkpoint.size > newest.checkpoint.size) {
    if (target) return nothing
    return next(
      shown.checkpoint.size === 0
        ? withVerified(log, shown, since.cosigned)
        : { ...log, target: noteOf(shown) },
    )
  }
  const isLater = since.newest === null || (shown.since !== null && shown.since > since.newest)
  if (shown.note === newest.note || !isLater) return nothing
  if (target) return shown.since === null ? nothing : next({ ...log, target: noteOf(shown) })
  return next(withVerified(log, shown, since.cosigned))
}

const nothing: JudgedShown = { next: null, finding: null }

function next(log: MonitoredLog): JudgedShown {
  return { next: log, finding: null }
}

/**
 * What is verified now, where a quorum stood behind what was cosigned since `since`. That stays beside a note without the
 * quorum, or with one of an earlier time: absences are said of it, and as of when must not go back.
 */
export function withVerified(log: MonitoredLog, shown: Shown, since: number | null): MonitoredLog {
  const verified = noteOf(shown)
  const isCosigned = shown.since !== null && (since === null || shown.since >= since)
  return { ...log, verified, cosigned: isCosigned ? verified : log.cosigned }
}

function noteOf({ note, checkpoint }: Shown): Noted {
  return { note, checkpoint }
}

function isOtherTree(known: Noted, { checkpoint }: Shown): boolean {
  return known.checkpoint.size === checkpoint.size && !equalBytes(known.checkpoint.root, checkpoint.root)
}

function against({ origin }: MonitoredLog, kind: FindingKind, known: Noted, shown: Shown): JudgedShown {
  return { next: null, finding: { kind, origin, notes: [known.note, shown.note], leaves: [], hashes: [] } }
}
