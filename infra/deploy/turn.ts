// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { failure } from './failure.ts'

/** Between two looks at whether the other has ended, and for how long at most, in milliseconds. */
const AGAIN_MS = 500
const LONGEST_MS = 30 * 60_000

/**
 * Does what only one process of a checkout may do at a time: what is built for a cloud lies in one folder, from which it is uploaded.
 * The turn of a process that was killed is taken over.
 * @param file names the turn; it holds the id of the process that has it
 * @param say is told once that another is waited for
 * @throws DeployFailure where the other does not end within half an hour; whatever `act` throws
 */
export async function inTurn<T>(
  file: string,
  say: (line: string) => void,
  act: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true })
  for (let waited = 0; !take(file); waited += AGAIN_MS) {
    if (waited === 0) say('        Another deployment from this folder goes on: waits until it has ended')
    if (waited >= LONGEST_MS)
      throw failure(
        `another deployment from this folder has not ended after ${LONGEST_MS / 60_000} min`,
        `end it, or remove ${file} where there is none, then run this again`,
      )
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
  try {
    return await act()
  } finally {
    rmSync(file, { force: true })
  }
}

/** @returns false while a process that lives has it */
function take(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  }
  const holder = holderOf(file)
  // A file without a number is being written, or was by a process that was killed just then: the next look tells.
  if (holder !== null && holder !== process.pid && !isAlive(holder)) rmSync(file, { force: true })
  return false
}

function holderOf(file: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null
    throw error
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
