// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError, type ErrorCode } from '#core/errors.ts'

/** What an error of SQLite or of the file system means to a caller. */
type Meaning = 'full' | 'locked' | 'corrupt' | 'barred' | 'unavailable'

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const SQLITE: Readonly<Record<number, Meaning>> = {
  3: 'barred', // PERM
  5: 'locked', // BUSY
  6: 'locked', // LOCKED
  8: 'barred', // READONLY
  11: 'corrupt', // CORRUPT
  13: 'full', // FULL
  14: 'barred', // CANTOPEN
  26: 'corrupt', // NOTADB
}
/** IOERR_SHMSIZE: the index of the write-ahead log cannot grow, which happens on a full disk alone. */
const SQLITE_SHM_SIZE = 4874
const SYSTEM: Readonly<Record<string, Meaning>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EACCES: 'barred',
  EPERM: 'barred',
  EROFS: 'barred',
  // node:sqlite: an integer that no row of ours can hold.
  ERR_OUT_OF_RANGE: 'corrupt',
}

/** What is said of a database that cannot be read as one of ours. */
export const DATA_FILE_DAMAGED = 'the data file is damaged or is not one of ours'

/** True for an error that a damaged database gave, and not what is in it. */
export function isDataFileDamaged(error: unknown): boolean {
  return isAmpereError(error, 'STORE_CORRUPT') && error.message === DATA_FILE_DAMAGED
}

const ANSWERS: Readonly<Record<Meaning, readonly [ErrorCode, string]>> = {
  full: ['STORE_FULL', 'the data folder is full'],
  locked: ['STORE_LOCKED', 'the data file is in use by another process'],
  corrupt: ['STORE_CORRUPT', DATA_FILE_DAMAGED],
  barred: ['STORE_UNAVAILABLE', 'the data folder cannot be written; see its owner and its permissions'],
  unavailable: ['STORE_UNAVAILABLE', 'the data folder cannot be used now'],
}

/** Runs `act`; errors of SQLite and of the file system leave as AmpereError, with the cause kept. */
export function translate<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw translated(error)
  }
}

/** The same for a promise. */
export async function translateAsync<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw translated(error)
  }
}

/** True for an error of the file system with this code, for example ENOENT. */
export function isSystemError(error: unknown, code: string): boolean {
  return (error as { code?: unknown } | null)?.code === code
}

function translated(error: unknown): unknown {
  if (error instanceof AmpereError) return error
  const { errcode, code } = error as { errcode?: number; code?: string }
  const known = errcode === undefined ? SYSTEM[code ?? ''] : meaningOf(errcode)
  // A caller's mistake stays one: a TypeError or RangeError that nothing below us raised.
  if (known === undefined && (error instanceof RangeError || error instanceof TypeError)) return error
  const [answer, message] = ANSWERS[known ?? 'unavailable']
  return new AmpereError(answer, message, { cause: error })
}

function meaningOf(errcode: number): Meaning | undefined {
  return errcode === SQLITE_SHM_SIZE ? 'full' : SQLITE[errcode & 0xff]
}
