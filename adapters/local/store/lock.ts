// SPDX-License-Identifier: Apache-2.0
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { translate } from '../errors.ts'

/**
 * Locks that are held, kept from the garbage collector: a database that it closes gives its lock back.
 * On POSIX systems so does closing any other descriptor of the same file, so nothing here may read a lock file.
 */
const held = new Set<DatabaseSync>()

/**
 * Takes a file's lock for this process, waiting for it at most `waitMs`. The lock is the operating system's,
 * taken through SQLite on an empty database: it ends with its process, however that ends, so no lock is ever
 * stale, and there is no process id that could have been used again. The file stays: removing it would let
 * two processes lock two files of one name.
 * @returns a function that gives the lock back
 * @throws AmpereError STORE_LOCKED, STORE_UNAVAILABLE
 */
export function lockFile(file: string, waitMs: number): () => void {
  return translate(() => {
    const db = new DatabaseSync(file, { timeout: waitMs })
    try {
      // In memory, so that no journal file is made beside an empty database that never changes.
      db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    } catch (error) {
      db.close()
      throw error
    }
    held.add(db)
    return () => {
      if (held.delete(db)) db.close()
    }
  })
}

/**
 * Takes a folder for this process.
 * @returns a function that gives it back
 * @throws AmpereError STORE_LOCKED naming the process that holds it, STORE_UNAVAILABLE
 */
export function lockFolder(folder: string): () => void {
  const holder = join(folder, 'lock')
  const unlock = takeOrName(join(folder, 'lock.db'), holder)
  nameHolder(holder)
  let isHeld = true
  return () => {
    // Once: by a second call the file may name another process.
    if (!isHeld) return
    isHeld = false
    try {
      rmSync(holder, { force: true })
    } finally {
      unlock()
    }
  }
}

function takeOrName(file: string, holder: string): () => void {
  try {
    return lockFile(file, 0)
  } catch (cause) {
    if (!isAmpereError(cause, 'STORE_LOCKED')) throw cause
    const pid = readHolder(holder)
    const who =
      pid === process.pid
        ? 'open in this process already'
        : `in use by ${pid ? `process ${pid}` : 'another process'}`
    throw new AmpereError('STORE_LOCKED', `the data folder is ${who}`, { cause })
  }
}

/** For the message of whoever comes second and for nothing else, so that a full disk may do without it. */
function nameHolder(file: string): void {
  try {
    writeFileSync(file, String(process.pid), { mode: 0o600 })
  } catch {
    // Whoever comes second is told "another process".
  }
}

function readHolder(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null
  } catch {
    // The holder has not written it yet, or is giving the folder back just now.
    return null
  }
}
