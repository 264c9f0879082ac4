// SPDX-License-Identifier: Apache-2.0
import { AmpereError, type ErrorCode } from '#core/errors.ts'

/** SQLite's primary result codes that mean something to a caller (sqlite.org/rescode.html). */
const SQLITE_CODES: Readonly<Record<number, ErrorCode>> = {
  5: 'STORE_LOCKED',
  6: 'STORE_LOCKED',
  11: 'STORE_CORRUPT',
  13: 'STORE_FULL',
  26: 'STORE_CORRUPT',
}
const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = { ENOSPC: 'STORE_FULL', EDQUOT: 'STORE_FULL' }

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

function translated(error: unknown): unknown {
  if (error instanceof AmpereError || error instanceof RangeError || error instanceof TypeError) return error
  const { errcode, code } = error as { errcode?: number; code?: string }
  const known = errcode === undefined ? SYSTEM_CODES[code ?? ''] : SQLITE_CODES[errcode & 0xff]
  return new AmpereError(known ?? 'STORE_UNAVAILABLE', messageOf(known ?? 'STORE_UNAVAILABLE'), {
    cause: error,
  })
}

function messageOf(code: ErrorCode): string {
  if (code === 'STORE_FULL') return 'the data folder is full'
  if (code === 'STORE_CORRUPT') return 'the data file is damaged or is not one of ours'
  if (code === 'STORE_LOCKED') return 'the data file is in use by another process'
  return 'the data folder cannot be used now'
}
