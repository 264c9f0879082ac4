// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { translate } from '../errors.ts'
import type { Statements } from './statements.ts'

/** An act that waits for its group, and whoever waits for the act. */
export interface Queued {
  readonly act: (statements: Statements) => unknown
  readonly wantsScrub: boolean
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

export interface CommitOptions {
  /** An earlier group could not scrub. */
  readonly isScrubOwed: boolean
  /** There is no further attempt when another process is writing. */
  readonly isLast: boolean
}

/**
 * One transaction for a group. If it does not commit, every act of it is rejected; none is half done.
 * @returns 'busy' when another process was writing and nothing was done or answered
 */
export function commitGroup(
  statements: Statements,
  group: readonly Queued[],
  { isScrubOwed, isLast }: CommitOptions,
): 'busy' | { readonly isScrubOwed: boolean } {
  const outcomes: Outcome[] = []
  try {
    translate(() => statements('BEGIN IMMEDIATE').run())
  } catch (error) {
    if (!isLast && isAmpereError(error, 'STORE_LOCKED')) return 'busy'
    for (const { reject } of group) reject(error)
    return { isScrubOwed }
  }
  try {
    for (const queued of group) outcomes.push(runAct(statements, queued))
    translate(() => statements('COMMIT').run())
  } catch (error) {
    rollBack(statements)
    for (const { reject } of group) reject(error)
    return { isScrubOwed }
  }
  const isScrubWanted = isScrubOwed || group.some((queued) => queued.wantsScrub)
  const failure = isScrubWanted ? scrub(statements) : null
  for (const { queued, settle } of outcomes) {
    if (failure !== null && queued.wantsScrub) queued.reject(failure)
    else settle()
  }
  return { isScrubOwed: failure !== null }
}

interface Outcome {
  readonly queued: Queued
  readonly settle: () => void
}

function runAct(statements: Statements, queued: Queued): Outcome {
  statements('SAVEPOINT act').run()
  try {
    const value = translate(() => queued.act(statements)) as never
    statements('RELEASE act').run()
    return { queued, settle: () => queued.resolve(value) }
  } catch (error) {
    undoAct(statements, error)
    return { queued, settle: () => queued.reject(error) }
  }
}

/** A full disk makes SQLite roll the whole group back by itself; then the group fails with that error. */
function undoAct(statements: Statements, cause: unknown): void {
  try {
    statements('ROLLBACK TO act').run()
    statements('RELEASE act').run()
  } catch {
    throw cause
  }
}

function rollBack(statements: Statements): void {
  try {
    statements('ROLLBACK').run()
  } catch {
    // SQLite rolled back by itself; there is nothing left to undo.
  }
}

/**
 * Empties the write-ahead log; a full disk and a reader in a process beside this one can be in the way.
 * @returns null, or why that could not be done
 */
export function scrub(statements: Statements): unknown {
  try {
    const done = translate(() => statements('PRAGMA wal_checkpoint(TRUNCATE)').get())
    if (done?.['busy'] === 0) return null
    return new AmpereError('STORE_LOCKED', 'the data file is in use by another process')
  } catch (error) {
    return error
  }
}
