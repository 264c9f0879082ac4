// SPDX-License-Identifier: Apache-2.0
import * as nodeFileSystem from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError } from '../errors.ts'

/** The calls of node:fs that make a file durable. */
export type FileSystem = Pick<
  typeof nodeFileSystem,
  'closeSync' | 'fsyncSync' | 'linkSync' | 'openSync' | 'renameSync' | 'rmSync' | 'writeFileSync'
>

/** Where `replaceFile` prepares the next content of a file; left behind by a crash, it means nothing. */
export function preparedFile(file: string): string {
  return `${file}.new`
}

/**
 * Replaces a file as a whole: written beside it, fsynced, renamed, and the folder fsynced, without which the
 * rename itself may be lost with the power. A crash leaves the old content or the new one. One writer at a time.
 */
export function replaceFile(file: string, content: string, fs: FileSystem = nodeFileSystem): void {
  const prepared = preparedFile(file)
  try {
    writeSynced(prepared, content, 'w', fs)
    fs.renameSync(prepared, file)
  } catch (error) {
    fs.rmSync(prepared, { force: true })
    throw error
  }
  syncFolder(dirname(file), fs)
}

/**
 * Makes a file that is not there, durable and whole from its first instant.
 * @returns false when it was there, and nothing was changed
 */
export function createFile(file: string, content: string, fs: FileSystem = nodeFileSystem): boolean {
  const prepared = `${file}.${crypto.randomUUID()}`
  let made = true
  try {
    writeSynced(prepared, content, 'wx', fs)
    fs.linkSync(prepared, file)
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
    made = false
  } finally {
    fs.rmSync(prepared, { force: true })
  }
  // Also for a file that was there: whoever made it may not have come this far.
  syncFolder(dirname(file), fs)
  return made
}

/** Makes the names in a folder durable. Windows has no such call: NTFS keeps a journal of names. */
export function syncFolder(folder: string, fs: FileSystem = nodeFileSystem): void {
  if (process.platform === 'win32') return
  const handle = fs.openSync(folder, 'r')
  try {
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}

/**
 * Makes a folder (mode 0700) and those above it, durably, unless it is there. One by one: Node's recursive mkdir
 * says ENOENT on a read-only disk.
 */
export function makeFolder(folder: string): void {
  if (nodeFileSystem.existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    nodeFileSystem.mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
  }
  syncFolder(dirname(folder))
}

function writeSynced(file: string, content: string, flag: 'w' | 'wx', fs: FileSystem): void {
  const handle = fs.openSync(file, flag, 0o600)
  try {
    fs.writeFileSync(handle, content)
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}
