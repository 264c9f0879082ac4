// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import type { Finding, FindingKind } from './findings.ts'
import type { MonitoredLog, Noted } from './monitored-row.ts'

/** A checkpoint that a log shows now, signed by it. */
export interface Shown extends Noted {
  /** Whether the quorum of the monitor's policy cosigned it. */
  readonly quorum: boolean
}

/** What is to be stored before anything is copied (null: nothing), or what speaks against the log. */
export interface JudgedShown {
  readonly next: MonitoredLog | null
  readonly finding: Finding | null
}

/**
 * Judges a checkpoint by those that the log showed before. A larger one becomes the target, unless there is one, which
 * comes first; the same one with more or newer cosignatures takes the place of the older note.
 */
export function judgeShown(log: MonitoredLog, shown: Shown): JudgedShown {
  const { verified, target } = log
  const newest = target ?? verified
  for (const known of [verified, target])
    if (known && isOtherTree(known, shown)) return against(log, 'same-size', known, shown)
  if (newest && shown.checkpoint.size < newest.checkpoint.size) return against(log, 'rollback', newest, shown)
  if (!newest || shown.checkpoint.size > newest.checkpoint.size) {
    if (target) return nothing
    return next(shown.checkpoint.size === 0 ? withVerified(log, shown) : { ...log, target: noteOf(shown) })
  }
  if (shown.note === newest.note) return nothing
  if (target) return shown.quorum ? next({ ...log, target: noteOf(shown) }) : nothing
  return next(withVerified(log, shown))
}

const nothing: JudgedShown = { next: null, finding: null }

function next(log: MonitoredLog): JudgedShown {
  return { next: log, finding: null }
}

/** What the quorum cosigned stays beside a note that lacks it: absences are said of that. */
function withVerified(log: MonitoredLog, shown: Shown): MonitoredLog {
  const verified = noteOf(shown)
  return { ...log, verified, cosigned: shown.quorum ? verified : log.cosigned }
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
