// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { AmpereError } from '#core/errors.ts'
import { DATA_FILE_DAMAGED, isSystemError, translate } from '../errors.ts'
import { commitGroup, scrub, type Queued } from './group-commit.ts'
import { compiledOnce, type Statements } from './statements.ts'

/** Version of the tables' layout; a newer one is refused rather than guessed at. */
export const SCHEMA_VERSION = 1
/** Pages of 4 KiB to which `maxBytes` is translated. */
const PAGE_BYTES = 4096
/** How long one call may hold up everything else while it waits for a process beside this one. */
const BUSY_MS = 200
/** How long writes and the opening wait for such a process before they fail with STORE_LOCKED. */
const PATIENCE_MS = 10_000
/** Between attempts to write. SQLite knows no queue: whoever asks rarely starves beside whoever writes often. */
const RETRY_MS = 3

/**
 * With rowids: in a table without, every value over about 1,000 bytes would spill to pages of its own, and
 * inserting would cost six times as much. A file made otherwise is used as it is.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS rows (
    tbl TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (tbl, part, key)
  );
  CREATE TABLE IF NOT EXISTS objects (
    store TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (store, name)
  );
  CREATE TABLE IF NOT EXISTS versions (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL);
  INSERT OR IGNORE INTO versions VALUES (1, 1);
`

/** One SQLite database with group commit: acts of one turn of the event loop share one durable transaction. */
export interface Database {
  /** Reads what is committed. */
  readonly read: <T>(act: (statements: Statements) => T) => Promise<T>
  /** Runs in the next group; durable when it resolves. An act that throws undoes itself alone. */
  readonly write: <T>(act: (statements: Statements) => T) => Promise<T>
  /**
   * Runs in the next group, then leaves no old copy of what was overwritten in the write-ahead log.
   * A rejected one may have been applied; its old copy goes with the next group or when the database is opened.
   */
  readonly writeAndScrub: <T>(act: (statements: Statements) => T) => Promise<T>
  readonly close: () => Promise<void>
}

export interface DatabaseOptions {
  /** Quota for the file in bytes; writes beyond it fail with STORE_FULL. */
  readonly maxBytes?: number | undefined
  /** Another process has the folder, and has scrubbed it when it opened it. */
  readonly isBeside?: boolean
  /** Only what is there is read: no file is made or changed, but for those that SQLite puts beside a database to read it. */
  readonly isReadOnly?: boolean
  /** How long writes wait for a process beside this one before they fail with STORE_LOCKED. */
  readonly patienceMs?: number
}

/**
 * Opens or creates the database file.
 * @throws AmpereError STORE_VERSION, STORE_CORRUPT, STORE_UNAVAILABLE, STORE_FULL
 */
export function openDatabase(file: string, options: DatabaseOptions = {}): Database {
  const { maxBytes, isBeside = false, isReadOnly = false, patienceMs = PATIENCE_MS } = options
  const db = translate(() => (isReadOnly ? openToRead(file) : prepare(file, maxBytes, patienceMs)))
  const statements = compiledOnce(db)
  // A process that was killed before it had scrubbed left what it overwrote in the write-ahead log. On a full
  // disk that waits for room: what is stored can be read all the same.
  const isScrubOwed = !isBeside && !isReadOnly && scrub(statements) !== null
  const group = groupCommit(statements, patienceMs, isScrubOwed)
  return {
    read: async (act) => translate(() => act(statements)),
    write: (act) => group.add(act, false),
    writeAndScrub: (act) => group.add(act, true),
    close: async () => {
      await group.drained()
      if (db.isOpen) db.close()
    },
  }
}

interface GroupCommit {
  readonly add: <T>(act: (statements: Statements) => T, wantsScrub: boolean) => Promise<T>
  /** Resolves when what waits now has been answered. */
  readonly drained: () => Promise<void>
}

function groupCommit(statements: Statements, patienceMs: number, isOwedAtFirst: boolean): GroupCommit {
  let queue: Queued[] = []
  let waiting: Promise<void> | null = null
  let isScrubOwed = isOwedAtFirst
  const flush = async (): Promise<void> => {
    await nextTurn()
    const started = performance.now()
    for (;;) {
      const group = queue
      queue = []
      const isLast = performance.now() - started >= patienceMs
      const outcome = commitGroup(statements, group, { isScrubOwed, isLast })
      if (outcome !== 'busy') {
        isScrubOwed = outcome.isScrubOwed
        break
      }
      queue = [...group, ...queue]
      await delay(RETRY_MS)
    }
    waiting = null
  }
  return {
    add: <T>(act: (statements: Statements) => T, wantsScrub: boolean) =>
      new Promise<T>((resolve, reject) => {
        queue.push({ act, wantsScrub, resolve, reject })
        waiting ??= flush()
      }),
    drained: async () => {
      await waiting
    },
  }
}

/** For its owner alone; the files that SQLite puts beside it get the same mode. */
function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
  }
}

function prepare(file: string, maxBytes: number | undefined, patienceMs: number): DatabaseSync {
  createPrivate(file)
  const db = new DatabaseSync(file, { timeout: patienceMs })
  try {
    // Before anything is changed: a newer version's data are left as they are.
    const version = versionOf(db)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON')
    if (version < SCHEMA_VERSION)
      db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
    if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)}`)
    db.exec(`PRAGMA busy_timeout = ${Math.min(BUSY_MS, patienceMs)}`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** SQLite refuses each write to it, and leaves the write-ahead log of a process that was killed as it is. */
function openToRead(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS })
  try {
    if (versionOf(db) === SCHEMA_VERSION) return db
    throw new AmpereError('STORE_CORRUPT', DATA_FILE_DAMAGED)
  } catch (error) {
    db.close()
    throw error
  }
}

function versionOf(db: DatabaseSync): number {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
  if (version <= SCHEMA_VERSION) return version
  const message = `the data are of version ${version}, this software knows ${SCHEMA_VERSION}`
  throw new AmpereError('STORE_VERSION', message)
}
