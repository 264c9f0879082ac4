// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { stretchAhead, type StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openBackupCopy } from '../../backup/open-backup.ts'
import type { Clouds } from '../../cloud/clouds.ts'
import { foundersPassphrase } from '../../cloud/founding/founding.ts'
import { deployedAs, settingsIn } from '../../cloud/target.ts'
import { keyFileOf } from '../../deployment/files.ts'
import { readPassphrase } from '../../deployment/passphrase.ts'
import { answersAs, findRunning } from '../../deployment/running.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { actingInstitution } from '../../deployment/session.ts'
import { dataFolder, type Settings } from '../../deployment/settings.ts'
import { seenByWitnesses } from '../../mirror/seen-by-witnesses.ts'
import { readPolicy } from '../../open/policy.ts'
import { knownHeads } from '../../open/known-heads.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { counted } from '../../terminal/words.ts'
import { restoreGone } from '../lost/gone.ts'
import type { LostHome } from '../lost/move-lost.ts'

/** How a backup is taken for a home that is gone. */
export interface LostOptions extends CloudOption {
  readonly newer?: string
  readonly acceptLoss?: boolean
  readonly withoutWitness?: boolean
  readonly expired?: boolean
}

/** What is left of a home that is gone: its settings, and its institutions with their passphrase. */
interface Left extends Pick<LostHome, 'folder' | 'data' | 'settings'> {
  readonly passphrase: StretchedPassphrase
}

/**
 * Restores a backup of the home of this data folder, or of one in a cloud, for the time of `act`. Its stores and keys may be gone: what
 * is needed are its settings, and its institutions with their passphrase.
 * @throws AmpereError ALREADY_EXISTS for a home that is not gone; VERIFICATION_FAILED
 */
export async function withLostHome(
  clouds: Clouds,
  call: Call<LostOptions>,
  from: string,
  act: (lost: LostHome) => Promise<number>,
): Promise<number> {
  const { screen, options } = call
  const { cloud } = options
  const { folder, data, settings, passphrase } =
    cloud === undefined ? await leftHere(call) : await leftOfCloud(clouds, call, cloud)
  const policy = readPolicy(folder, settings.origin)
  const seen = await seenByWitnesses(screen, policy, settings.origin, options.withoutWitness === true)
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
      return await act({ folder, data, settings, passphrase, gone })
    } finally {
      await gone.close()
    }
  } finally {
    await copy.close()
  }
}

async function leftHere(call: Call<LostOptions>): Promise<Left> {
  const { screen, options } = call
  const { folder, settings } = deploymentOf(call)
  await checkGone(folder, settings)
  const text = await readPassphrase(folder, settings.passphrase, options, screen)
  const files = settings.institutions.map((id) => keyFileOf(folder, id))
  return { folder, data: folder, settings, passphrase: await stretchAhead(text, files) }
}

/** Its account may be gone: nothing but its address is asked. */
async function leftOfCloud(clouds: Clouds, call: Call<LostOptions>, name: string): Promise<Left> {
  const { screen, options } = call
  const { folder, deployment, home } = deployedAs(call, name)
  const settings = settingsIn(folder, deployment, home)
  const { reach } = await clouds[deployment.provider].open(screen.terminal.env)
  if (await answersAs(settings, reach(home.origin)))
    throw refuse(
      'ALREADY_EXISTS',
      `the home ${name} answers at ${home.origin}: what a backup lacks would be lost`,
      `npx ampere migrate --from ${name} --to TARGET; or, where what it holds is damaged, npx ampere deploy destroy --stage ${deployment.stage} --provider ${deployment.provider}, then the same command again`,
    )
  const data = dataFolder(options.data, screen.terminal.env)
  return { folder, data, settings, passphrase: await foundersPassphrase(folder, options, screen) }
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
