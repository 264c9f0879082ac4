// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { merkleRoot } from '../../log/merkle.ts'
import { openCheckpoint, type OpenedCheckpoint } from '../../log/note/open-checkpoint.ts'
import { parseNote } from '../../log/note/note.ts'
import { quorumOf } from '../../log/policy/quorum.ts'
import { policyKeys } from '../../log/tlog-proof.ts'
import { fromUtf8 } from '../../bytes/encoding.ts'
import { fetchCheckpoint } from './fetch-log.ts'
import { keepFinding, type Finding, type FindingKind } from './findings.ts'
import { loadMonitored, swapMonitored, type LoadedMonitored, type MonitoredLog } from './monitored-row.ts'
import type { Monitor, MonitorPorts, WatchedLog } from './needs.ts'
import { judgeShown, type Shown } from './judge-shown.ts'
import { takeSlice } from './slice.ts'

/** Slices of one run at most: 4,096 leaves, about a second where the table is on this computer. */
export const MAX_SLICES = 2

/** What came of a run. */
export interface WatchReport {
  /**
   * `current`: everything that the log showed is verified; `behind`: the next run goes on; `raced`: another monitor was
   * first, which is no harm; `finding`: something speaks against the log, and nothing beyond it was taken.
   */
  readonly outcome: 'current' | 'behind' | 'raced' | 'finding'
  /** Leaves of the newest verified tree. */
  readonly size: number
  /** Leaves that this run copied. */
  readonly added: number
  readonly finding: FindingKind | null
}

/**
 * Copies what a log has grown by, verifies it by computing the tree anew, and indexes its labels. Whatever fails, and
 * however often: what is stored is right, and the next run goes on from there.
 * @throws AmpereError UPSTREAM_FAILED when the log does not answer, or with what is not signed; STORE_UNAVAILABLE and
 * its kin, STORE_CORRUPT
 */
export async function watchLog(
  { tables, fetch, now }: MonitorPorts,
  { verifiers, deadline, slices = MAX_SLICES }: Monitor,
  watched: WatchedLog,
): Promise<WatchReport> {
  const table = tables.monitored
  const source = { url: watched.url, fetch, deadline }
  // Before the log is asked: what another monitor stores meanwhile would make an honest answer look rolled back.
  const loaded = await loadMonitored(table, watched.origin)
  const shown = await openShown(await fetchCheckpoint(source), watched, verifiers)
  const judged = judgeShown(loaded.log, shown)
  const ended = async (log: MonitoredLog, finding: Finding) => {
    await keepFinding(table, now(), finding)
    return reportOf(loaded.log, log, 'finding', finding.kind)
  }
  if (judged.finding) return ended(loaded.log, judged.finding)
  let current: LoadedMonitored = loaded
  const store = async (next: MonitoredLog): Promise<boolean> => {
    const stored = await swapMonitored(table, current, next)
    if (stored) current = stored
    return stored !== null
  }
  if (judged.next && !(await store(judged.next))) return reportOf(loaded.log, current.log, 'raced')
  for (let slice = 0; slice < slices; slice++) {
    const { log } = current
    if (!log.target) break
    const { edge, finding } = await takeSlice(table, source, log, log.target)
    if (finding) return ended(log, finding)
    const next =
      edge.size < log.target.checkpoint.size ? { ...log, edge } : await arrived(log, edge, watched, verifiers)
    if (!(await store(next))) return reportOf(loaded.log, log, 'raced')
  }
  return reportOf(loaded.log, current.log, isCurrent(current.log, shown) ? 'current' : 'behind')
}

/** The target is verified: it is what lookups are answered by from now on. */
async function arrived(
  log: MonitoredLog,
  edge: MonitoredLog['edge'],
  { policy }: WatchedLog,
  verifiers: Monitor['verifiers'],
): Promise<MonitoredLog> {
  const verified = log.target
  if (!verified) return log
  const opened = await openCheckpoint(verified.note, policyKeys(policy), verifiers)
  const cosigned = hasQuorum(policy, opened) ? verified : log.cosigned
  return { ...log, verified, cosigned, target: null, edge }
}

/** What a log shows, signed by a pinned key of it. @throws AmpereError UPSTREAM_FAILED for anything else */
async function openShown(
  bytes: Uint8Array,
  { origin, policy }: WatchedLog,
  verifiers: Monitor['verifiers'],
): Promise<Shown> {
  try {
    const opened = await openCheckpoint(parseNote(bytes), policyKeys(policy), verifiers)
    if (opened.checkpoint.origin !== origin)
      throw new AmpereError('UPSTREAM_FAILED', 'the log answered with the checkpoint of another')
    const { checkpoint } = opened
    if (checkpoint.size === 0 && !equalBytes(checkpoint.root, merkleRoot([])))
      throw new AmpereError('UPSTREAM_FAILED', 'the log signed an empty tree with another root')
    return { note: fromUtf8(bytes), checkpoint, quorum: hasQuorum(policy, opened) }
  } catch (cause) {
    if (isAmpereError(cause, 'UPSTREAM_FAILED')) throw cause
    if (!isAmpereError(cause, 'LOG_MALFORMED', 'SIGNATURE_INVALID', 'ENCODING_MALFORMED')) throw cause
    throw new AmpereError('UPSTREAM_FAILED', 'the log answered with a checkpoint that it did not sign', {
      cause,
    })
  }
}

function hasQuorum(policy: WatchedLog['policy'], { cosignatures }: OpenedCheckpoint): boolean {
  // A witness states when it saw the tree; a cosignature without a time is no such statement.
  const timed = cosignatures.filter(({ time }) => time > 0).map(({ key }) => key)
  return policy.quorum !== null && quorumOf(policy, timed).satisfied
}

function isCurrent({ verified, target }: MonitoredLog, { checkpoint }: Shown): boolean {
  return target === null && verified?.checkpoint.size === checkpoint.size
}

function reportOf(
  before: MonitoredLog,
  { verified, edge }: MonitoredLog,
  outcome: WatchReport['outcome'],
  finding: FindingKind | null = null,
): WatchReport {
  const size = verified?.checkpoint.size ?? 0
  return { outcome, size, added: edge.size - before.edge.size, finding }
}
