// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { stretchAhead } from '#adapters/local/keys/key-file.ts'
import { openBackupCopy } from '../../backup/open-backup.ts'
import { keyFileOf } from '../../deployment/files.ts'
import { readPassphrase } from '../../deployment/passphrase.ts'
import { findRunning } from '../../deployment/running.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { actingInstitution } from '../../deployment/session.ts'
import type { Settings } from '../../deployment/settings.ts'
import { seenByWitnesses } from '../../mirror/seen-by-witnesses.ts'
import { readPolicy } from '../../open/policy.ts'
import { knownHeads } from '../../open/known-heads.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import type { Common } from '../../terminal/screen.ts'
import { counted } from '../../terminal/words.ts'
import { restoreGone } from '../lost/gone.ts'
import type { LostHome } from '../lost/move-lost.ts'

/** How a backup is taken for a home that is gone. */
export interface LostOptions extends Common {
  readonly newer?: string
  readonly acceptLoss?: boolean
  readonly withoutWitness?: boolean
  readonly expired?: boolean
}

/**
 * Restores a backup of the home of this data folder for the time of `act`. Its stores and keys may be gone: what is needed are its
 * settings, and its institutions with their passphrase.
 * @throws AmpereError ALREADY_EXISTS for a home that is not gone; VERIFICATION_FAILED
 */
export async function withLostHome(
  call: Call<LostOptions>,
  from: string,
  act: (lost: LostHome) => Promise<number>,
): Promise<number> {
  const { screen, options } = call
  const { folder, settings } = deploymentOf(call)
  await checkGone(folder, settings)
  const policy = readPolicy(folder, settings.origin)
  const seen = await seenByWitnesses(screen, policy, settings.origin, options.withoutWitness === true)
  const text = await readPassphrase(folder, settings.passphrase, options, screen)
  const files = settings.institutions.map((id) => keyFileOf(folder, id))
  const passphrase = await stretchAhead(text, files)
  const acting = actingInstitution(settings, options)
  const { newer, expired = false } = options
  const copy = await openBackupCopy(
    { folder, settings, acting, passphrase },
    { from, expired, ...(newer === undefined ? {} : { newer }) },
  )
  const progress = screen.progress({ doing: 'Verifying', unit: 'blocks' })
  try {
    const gone = await restoreGone(folder, settings, copy.source, {
      seen,
      known: knownHeads(folder, settings),
      policy,
      acceptLoss: options.acceptLoss === true,
      restored: (blocks) => progress.update(blocks),
    }).finally(() => progress.stop())
    const { losses, notHeld } = gone.report
    if (losses.length + notHeld.length > 0)
      screen.say(`Lost: ${counted(losses.length + notHeld.length, 'block or chain', 'blocks or chains')}.`)
    try {
      return await act({ folder, settings, passphrase, gone })
    } finally {
      await gone.close()
    }
  } finally {
    await copy.close()
  }
}

/** What is there is moved itself, and not an older copy of it. */
async function checkGone(folder: string, settings: Settings): Promise<void> {
  if (existsSync(join(folder, 'home', 'ampere.db')))
    throw refuse(
      'ALREADY_EXISTS',
      'the home of this folder is there: what a backup lacks would be lost',
      'leave out --from',
    )
  if (await findRunning(settings))
    throw refuse('ALREADY_EXISTS', `this home answers at ${settings.origin}: it is not gone`)
}
