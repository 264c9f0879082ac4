// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { merkleRoot } from '../../log/merkle.ts'
import { openCheckpoint, type OpenedCheckpoint } from '../../log/note/open-checkpoint.ts'
import { parseNote } from '../../log/note/note.ts'
import { quorumTime } from '../../log/policy/quorum-time.ts'
import { policyKeys } from '../../log/tlog-proof.ts'
import { fromUtf8 } from '../../bytes/encoding.ts'
import { fetchCheckpoint } from './fetch-log.ts'
import { keepFinding, type Finding, type FindingKind } from './against/findings.ts'
import {
  loadMonitored,
  swapMonitored,
  type LoadedMonitored,
  type MonitoredLog,
  type Noted,
} from './monitored-row.ts'
import type { Monitor, MonitorPorts, WatchedLog } from './needs.ts'
import { judgeShown, withVerified, type Shown } from './judge-shown.ts'
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
  const judge: Judge = { policy: watched.policy, verifiers, seconds: Math.floor(now() / 1000) }
  const shown = await openShown(await fetchCheckpoint(source), watched.origin, judge)
  const { target, verified, cosigned } = loaded.log
  const since = { newest: await sinceOf(target ?? verified, judge), cosigned: await sinceOf(cosigned, judge) }
  const judged = judgeShown(loaded.log, shown, since)
  let current: LoadedMonitored = loaded
  const store = async (next: MonitoredLog): Promise<boolean> => {
    const stored = await swapMonitored(table, current, next)
    if (stored) current = stored
    return stored !== null
  }
  const ended = async (log: MonitoredLog, finding: Finding) => {
    await keepFinding(table, now(), finding)
    // Who is first has found something of its own: the next look says it.
    if (current.log.stopped !== finding.kind) await store({ ...current.log, stopped: finding.kind })
    return reportOf(loaded.log, log, 'finding', finding.kind)
  }
  if (judged.finding) return ended(loaded.log, judged.finding)
  if (judged.next && !(await store(judged.next))) return reportOf(loaded.log, current.log, 'raced')
  for (let slice = 0; slice < slices; slice++) {
    const { log } = current
    if (!log.target) break
    const { edge, finding } = await takeSlice(table, source, log, log.target)
    if (finding) return ended(log, finding)
    const next = edge.size < log.target.checkpoint.size ? { ...log, edge } : await arrived(log, edge, judge)
    if (!(await store(next))) return reportOf(loaded.log, log, 'raced')
  }
  if (current.log.stopped !== null && !(await store({ ...current.log, stopped: null })))
    return reportOf(loaded.log, current.log, 'raced')
  return reportOf(loaded.log, current.log, isCurrent(current.log, shown) ? 'current' : 'behind')
}

/** The target is verified: it is what lookups are answered by from now on. */
async function arrived(log: MonitoredLog, edge: MonitoredLog['edge'], judge: Judge): Promise<MonitoredLog> {
  if (!log.target) return log
  const shown = { ...log.target, since: await sinceOf(log.target, judge) }
  return { ...withVerified(log, shown, await sinceOf(log.cosigned, judge)), target: null, edge }
}

/** By what notes are judged in one run. */
interface Judge {
  readonly policy: WatchedLog['policy']
  readonly verifiers: Monitor['verifiers']
  /** POSIX seconds on the clock of the monitor: cosignatures that are too far ahead of it do not count. */
  readonly seconds: number
}

/** What a log shows, signed by a pinned key of it. @throws AmpereError UPSTREAM_FAILED for anything else */
async function openShown(bytes: Uint8Array, origin: string, judge: Judge): Promise<Shown> {
  try {
    const opened = await openCheckpoint(parseNote(bytes), policyKeys(judge.policy), judge.verifiers)
    if (opened.checkpoint.origin !== origin)
      throw new AmpereError('UPSTREAM_FAILED', 'the log answered with the checkpoint of another')
    const { checkpoint } = opened
    if (checkpoint.size === 0 && !equalBytes(checkpoint.root, merkleRoot([])))
      throw new AmpereError('UPSTREAM_FAILED', 'the log signed an empty tree with another root')
    return { note: fromUtf8(bytes), checkpoint, since: quorumSince(opened, judge) }
  } catch (cause) {
    if (isAmpereError(cause, 'UPSTREAM_FAILED')) throw cause
    if (!isAmpereError(cause, 'LOG_MALFORMED', 'SIGNATURE_INVALID', 'ENCODING_MALFORMED')) throw cause
    throw new AmpereError('UPSTREAM_FAILED', 'the log answered with a checkpoint that it did not sign', {
      cause,
    })
  }
}

function quorumSince({ cosignatures }: OpenedCheckpoint, { policy, seconds }: Judge): number | null {
  return quorumTime(policy, cosignatures, seconds)
}

/** The same of what is stored; null also for a note that the keys of today's policy did not sign. */
async function sinceOf(stored: Noted | null, judge: Judge): Promise<number | null> {
  if (!stored) return null
  try {
    return quorumSince(await openCheckpoint(stored.note, policyKeys(judge.policy), judge.verifiers), judge)
  } catch (error) {
    if (isAmpereError(error, 'LOG_MALFORMED', 'SIGNATURE_INVALID')) return null
    throw error
  }
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
