// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { refuse } from '../program/refuse.ts'

/** The key file of a data folder's home. */
export function homeKeyFile(folder: string): string {
  return join(folder, 'home', 'keys.json')
}

/** Folder of an institution's keys and tables. */
export function institutionFolder(folder: string, id: string): string {
  return join(folder, 'institutions', id)
}

/** The key file of an institution. */
export function keyFileOf(folder: string, id: string): string {
  return join(institutionFolder(folder, id), 'keys.json')
}

/**
 * Makes a folder and those above it, for this account alone. Not by `recursive`: where a file system lets nothing be
 * made (/proc), Node tries for ever.
 * @throws AmpereError STORE_UNAVAILABLE
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  if (dirname(folder) !== folder) makeFolder(dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT') throw cause
    const message = `the folder ${folder} cannot be made: its file system lets nobody`
    throw refuse('STORE_UNAVAILABLE', message, 'choose another folder: --data FOLDER', cause)
  }
}
