// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { translate } from './errors.ts'

/**
 * Takes a folder for this process: a file with our process id, made atomically. A lock whose process is
 * gone (killed, power cut) is taken over.
 * @returns a function that gives it back
 * @throws AmpereError STORE_LOCKED naming the process that holds it
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'lock')
  for (let attempt = 0; attempt < 3; attempt++) {
    if (tryLock(file)) return () => rmSync(file, { force: true })
    const holder = readHolder(file)
    if (holder !== null && holder !== process.pid && isAlive(holder)) {
      throw new AmpereError('STORE_LOCKED', `the data folder is in use by process ${holder}`)
    }
    if (holder === process.pid)
      throw new AmpereError('STORE_LOCKED', 'the data folder is open in this process already')
    rmSync(file, { force: true })
  }
  throw new AmpereError('STORE_LOCKED', 'the data folder is being taken by another process')
}

function tryLock(file: string): boolean {
  return translate(() => {
    try {
      const handle = openSync(file, 'wx', 0o600)
      writeSync(handle, String(process.pid))
      closeSync(handle)
      return true
    } catch (error) {
      if ((error as { code?: string }).code === 'EEXIST') return false
      throw error
    }
  })
}

function readHolder(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null
  } catch {
    // Gone or half written in the meantime: whoever wrote it decides in the next attempt.
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
