// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite'
import { AmpereError } from '#core/errors.ts'
import { translate } from './errors.ts'

/** Version of the tables' layout; a newer one is refused rather than guessed at. */
export const SCHEMA_VERSION = 1
/** Pages of 4 KiB to which `maxBytes` is translated. */
const PAGE_BYTES = 4096

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS rows (
    tbl TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (tbl, part, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (
    store TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (store, name)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS versions (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL);
  INSERT OR IGNORE INTO versions VALUES (1, 1);
`

/** One SQLite database with group commit: acts of one turn of the event loop share one durable transaction. */
export interface Database {
  /** Reads what is committed. */
  readonly read: <T>(act: (db: DatabaseSync) => T) => Promise<T>
  /** Runs in the next group; durable when it resolves. An act that throws undoes itself alone. */
  readonly write: <T>(act: (db: DatabaseSync) => T) => Promise<T>
  /** Runs in the next group, then leaves no old copy of what was overwritten in the write-ahead log. */
  readonly writeAndScrub: <T>(act: (db: DatabaseSync) => T) => Promise<T>
  readonly close: () => Promise<void>
}

interface Queued {
  readonly act: (db: DatabaseSync) => unknown
  readonly scrub: boolean
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens or creates the database file. `maxBytes` is a quota for it.
 * @throws AmpereError STORE_VERSION, STORE_CORRUPT, STORE_UNAVAILABLE
 */
export function openDatabase(file: string, maxBytes?: number): Database {
  const db = prepare(file, maxBytes)
  let queue: Queued[] = []
  let scheduled = false
  const flush = () => {
    scheduled = false
    const group = queue
    queue = []
    commitGroup(db, group)
  }
  const enqueue = <T>(act: (db: DatabaseSync) => T, scrub: boolean): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      queue.push({ act, scrub, resolve: resolve, reject })
      if (scheduled) return
      scheduled = true
      setImmediate(flush)
    })
  return {
    read: async (act) => translate(() => act(db)),
    write: (act) => enqueue(act, false),
    writeAndScrub: (act) => enqueue(act, true),
    close: async () => {
      flush()
      db.close()
    },
  }
}

function prepare(file: string, maxBytes?: number): DatabaseSync {
  return translate(() => {
    const db = new DatabaseSync(file)
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 2000',
    )
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
    if (version > SCHEMA_VERSION) {
      db.close()
      throw new AmpereError(
        'STORE_VERSION',
        `the data are of version ${version}, this software knows ${SCHEMA_VERSION}`,
      )
    }
    db.exec(SCHEMA)
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)}`)
    return db
  })
}

/** One transaction for a group. If it does not commit, every act of it is rejected; none is half done. */
function commitGroup(db: DatabaseSync, group: readonly Queued[]): void {
  if (group.length === 0) return
  const outcomes: (() => void)[] = []
  try {
    translate(() => db.exec('BEGIN IMMEDIATE'))
    for (const { act, resolve, reject } of group) outcomes.push(runAct(db, act, resolve, reject))
    translate(() => db.exec('COMMIT'))
  } catch (error) {
    rollBack(db)
    for (const { reject } of group) reject(error)
    return
  }
  try {
    if (group.some((queued) => queued.scrub)) translate(() => db.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
  } finally {
    for (const settle of outcomes) settle()
  }
}

function runAct(
  db: DatabaseSync,
  act: (db: DatabaseSync) => unknown,
  resolve: (value: never) => void,
  reject: (error: unknown) => void,
): () => void {
  db.exec('SAVEPOINT act')
  try {
    const value = translate(() => act(db)) as never
    db.exec('RELEASE act')
    return () => resolve(value)
  } catch (error) {
    undoAct(db, error)
    return () => reject(error)
  }
}

/** A full disk makes SQLite roll the whole group back by itself; then the group fails with that error. */
function undoAct(db: DatabaseSync, cause: unknown): void {
  try {
    db.exec('ROLLBACK TO act; RELEASE act')
  } catch {
    throw cause
  }
}

function rollBack(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK')
  } catch {
    // SQLite rolled back by itself; there is nothing left to undo.
  }
}
