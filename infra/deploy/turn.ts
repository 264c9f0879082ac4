// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { lockFile } from '#adapters/local/store/lock.ts'
import { isAmpereError } from '#core/errors.ts'
import { failure } from './failure.ts'

/** Between two looks at whether the other has ended, and for how long at most, in milliseconds. */
const AGAIN_MS = 500
const LONGEST_MS = 30 * 60_000

/**
 * Does what only one process of a checkout may do at a time: what is built for a cloud lies in one folder, from which it is uploaded.
 * The turn is a lock of the operating system, so it ends with its process, however that ends.
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
  let giveBack = take(file)
  for (let waited = 0; giveBack === null; waited += AGAIN_MS) {
    if (waited === 0) say('        Another deployment from this folder goes on: waits until it has ended')
    if (waited >= LONGEST_MS)
      throw failure(
        `another deployment from this folder has not ended after ${LONGEST_MS / 60_000} min`,
        'end it, then run this again',
      )
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    giveBack = take(file)
  }
  try {
    return await act()
  } finally {
    giveBack()
  }
}

/** @returns what gives the turn back; null while another process has it */
function take(file: string): (() => void) | null {
  try {
    const unlock = lockFile(`${file}.lock`, 0)
    writeFileSync(file, String(process.pid))
    return () => {
      rmSync(file, { force: true })
      unlock()
    }
  } catch (error) {
    if (isAmpereError(error, 'STORE_LOCKED')) return null
    throw error
  }
}
