// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { select } from '#core/ports/needs.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { storedSource } from '#core/server/copy/source.ts'
import { writeCloudDeployment } from '../cloud/cloud-folder.ts'
import type { Clouds } from '../cloud/clouds.ts'
import { deployedAs, settingsIn } from '../cloud/target.ts'
import { deploymentOf } from '../deployment/deployment-of.ts'
import { lockHolder } from '../deployment/lock-holder.ts'
import { writeSettings, type Settings } from '../deployment/settings.ts'
import type { CopySource } from '../mirror/copy-source.ts'
import { checkHome } from '../open/home.ts'
import type { Call, CloudOption } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'
import { openStores } from './open-backup.ts'
import { patientSource } from './patient-source.ts'

/** A home that is backed up, wherever it is. */
export interface BackedUp {
  readonly settings: Settings
  /** For how many days this backup is kept, which the home states of what it erases. */
  readonly days: number
  readonly stores: Pick<CopySource, 'source' | 'close'>
  /** How commands name it: nothing, or ` --cloud aws-prod`. */
  readonly named: string
  /** What has keys, and is not in the backup. */
  readonly keysIn: string
}

export interface KeepOptions extends CloudOption {
  readonly keepDays?: number
}

/** The home of this data folder. @throws AmpereError CONFIGURATION, NOT_FOUND */
export async function homeHere(call: Call<KeepOptions>): Promise<BackedUp> {
  const { folder, settings } = deploymentOf(call)
  checkHome(folder)
  const { days, backups } = keptFor(settings, call.options.keepDays)
  if (backups !== settings.backups) writeSettings(folder, { ...settings, backups })
  checkStated(folder, backups)
  const keysIn = 'home/keys.json, institutions/ and the passphrase'
  return { settings, days, stores: await openStores(folder), named: '', keysIn }
}

/** A home in a cloud, as whoever may back it up reads it. @throws AmpereError CONFIGURATION, NOT_FOUND; DeployFailure; CommanderError (usage) */
export async function homeInCloud(clouds: Clouds, call: Call<KeepOptions>, name: string): Promise<BackedUp> {
  const { folder, deployment, home, deploy } = deployedAs(call, name)
  const { days, stated, longest } = daysIn(deployment.backups, call.options.keepDays, deploy)
  if (longest !== deployment.backups?.days)
    writeCloudDeployment(folder, { ...deployment, backups: { days: longest, stated } })
  if (days > stated)
    throw refuse(
      'CONFIGURATION',
      `the functions that run state of what they erase that backups have it for ${stated} days, and not for ${days}`,
      `${deploy}, then the same command again`,
    )
  const settings = settingsIn(folder, deployment, home)
  const stores = await openCloudStores(clouds, call, name)
  return { settings, days, stores, named: ` --cloud ${name}`, keysIn: folder }
}

/** What a home in a cloud holds, read as whoever backs it up. @throws as `homeInCloud` */
export async function openCloudStores(
  clouds: Clouds,
  call: Call<CloudOption>,
  name: string,
): Promise<BackedUp['stores']> {
  const { deployment } = deployedAs(call, name)
  const { env, wait } = call.screen.terminal
  const cloud = await clouds[deployment.provider].open(env)
  const platform = await cloud.read(deployment)
  const source = patientSource(storedSource(await select(platform, BACKUP_NEEDS)), wait)
  return { source, close: () => platform.close() }
}

/** For how long this backup is kept, and what the home is to state from now on: the longest that was ever given. */
function keptFor(
  { backups = null }: Settings,
  given: number | undefined,
): { readonly days: number; readonly backups: NonNullable<Settings['backups']> } {
  const days = given ?? backups?.days ?? 0
  if (days < 1) throw noDays()
  if (backups && backups.days >= days) return { days, backups }
  return { days, backups: { days, since: toTimestamp(Date.now()) } }
}

/** Without a number as before, or as long as the provider's own backups: that is stated already. */
function daysIn(
  backups: { readonly days: number; readonly stated: number } | undefined,
  given: number | undefined,
  deploy: string,
): { readonly days: number; readonly stated: number; readonly longest: number } {
  if (!backups)
    throw refuse('CONFIGURATION', 'it is not known here what the functions that run state of backups', deploy)
  const { days: before, stated } = backups
  const days = given ?? (before > 0 ? before : stated)
  if (days < 1) throw noDays()
  return { days, stated, longest: Math.max(before, days) }
}

function noDays() {
  return refuse(
    'CONFIGURATION',
    'this home states of what it erases that no backup has it, and a backup has it until it is removed',
    'say for how many days backups are kept: --keep-days 30',
  )
}

/** A server that began before it was told of backups states of what it erases that there are none. */
function checkStated(folder: string, { since }: NonNullable<Settings['backups']>): void {
  if (lockHolder(folder)?.isAlive !== true) return
  if (statSync(join(folder, 'home', 'lock')).mtimeMs > Date.parse(since)) return
  throw refuse(
    'CONFIGURATION',
    'the server that runs does not know yet for how long backups are kept, which it states of what it erases',
    'restart it, then the same command again',
  )
}
