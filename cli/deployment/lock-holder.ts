// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Who holds a data folder's home, as its lock file says. */
export interface LockHolder {
  readonly pid: number
  /** False for a process that was killed: the next one takes the folder over. */
  readonly isAlive: boolean
}

/** The holder, or null when nobody holds the folder. */
export function lockHolder(folder: string): LockHolder | null {
  const file = join(folder, 'home', 'lock')
  if (!existsSync(file)) return null
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
  if (!Number.isSafeInteger(pid) || pid <= 0) return null
  return { pid, isAlive: isAlive(pid) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
