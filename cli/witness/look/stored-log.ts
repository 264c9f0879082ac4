// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Platform } from '#core/ports/needs.ts'
import { readCheckpoint } from '#core/server/read/read-log.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { findRunning } from '../../deployment/running.ts'
import type { Settings } from '../../deployment/settings.ts'
import { checkHome } from '../../open/home.ts'
import type { Call } from '../../program/command.ts'

/** The home's tables, also while a server has the folder. No key of the home is opened. */
export interface StoredLog {
  readonly folder: string
  readonly settings: Settings
  readonly platform: Platform
  readonly isRunning: boolean
}

/** Opens the stores of the command's home for the time of `act`; to `look` at them writes nothing. */
export async function withStoredLog<T>(
  call: Call,
  act: (stored: StoredLog) => Promise<T>,
  purpose: 'act' | 'look' = 'act',
): Promise<T> {
  const { folder, settings } = deploymentOf(call)
  const isRunning = (await findRunning(settings)) !== null
  checkHome(folder)
  const platform = openLocal({
    folder: join(folder, 'home'),
    passphrase: null,
    beside: isRunning,
    readOnly: purpose === 'look',
  })
  const closed = call.screen.stopping.closes(() => platform.close())
  try {
    return await act({ folder, settings, platform, isRunning })
  } finally {
    closed()
    await platform.close()
  }
}

/** The newest checkpoint that the log serves, or null before it has one. */
export async function newestCheckpoint(platform: Platform): Promise<string | null> {
  try {
    return await readCheckpoint({
      tables: { checkpoints: platform.table('checkpoints') },
      objects: { log: platform.objects('log') },
    })
  } catch (error) {
    if (isAmpereError(error, 'NOT_FOUND')) return null
    throw error
  }
}
