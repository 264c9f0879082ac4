// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lockFolder } from '#adapters/local/store/lock.ts'
import { isAmpereError } from '#core/errors.ts'
import { findRunning } from '../deployment/running.ts'
import { dataFolder, readSettings } from '../deployment/settings.ts'
import type { Call } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../terminal/confirm.ts'
import { EXIT, type Common } from '../terminal/screen.ts'

/** What a demo consists of. Nothing else in the folder is touched: it may be somebody's. */
const PARTS = [
  'settings.json',
  'home',
  'institutions',
  'patient-keys.json',
  'passphrase',
  'policy.txt',
  'witness',
]

/** Removes the demo's data, so that the next start makes them anew. */
export async function resetDemo(call: Call<Common & GraveOptions>): Promise<number> {
  const { screen, options } = call
  const folder = dataFolder(options.data, screen.terminal.env)
  const settings = readSettings(folder)
  if (!settings) {
    screen.print({ ok: true, removed: false, dryRun: options.dryRun === true, folder }, [
      'There is no demo in this folder.',
    ])
    return EXIT.ok
  }
  if (settings.demo === null) {
    throw refuse('CONFIGURATION', `${folder} holds a real deployment, not the demo; nothing was removed`)
  }
  if ((await findRunning(settings)) || !isFree(join(folder, 'home'))) {
    throw refuse(
      'STORE_LOCKED',
      'the demo is in use',
      'stop the running server with Ctrl+C, then do the same again',
    )
  }
  const says = [`Removes the demo data in ${folder} for good: ${PARTS.join(', ')}.`]
  const removed = await confirmGrave(screen, options, { says, name: 'demo' })
  if (removed) for (const part of PARTS) rmSync(join(folder, part), { recursive: true, force: true })
  screen.print({ ok: true, removed, dryRun: !removed, folder }, [
    removed ? 'The demo data were removed. npm start makes them anew.' : 'Nothing was removed (--dry-run).',
  ])
  return EXIT.ok
}

/** Whether no process has the folder. */
function isFree(home: string): boolean {
  if (!existsSync(home)) return true
  try {
    lockFolder(home)()
    return true
  } catch (error) {
    if (isAmpereError(error, 'STORE_LOCKED')) return false
    throw error
  }
}
