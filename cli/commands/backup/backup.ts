// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { openFolderObjects } from '#adapters/local/store/folder-objects.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { isAmpereError } from '#core/errors.ts'
import { BEGIN_NAME } from '#core/server/backup/format/manifest.ts'
import { backupHome, type BackupReport } from '#core/server/backup/backup.ts'
import { openStores } from '../../backup/open-backup.ts'
import { lockHolder } from '../../deployment/lock-holder.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { writeSettings, type Settings } from '../../deployment/settings.ts'
import { checkHome } from '../../open/home.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

interface BackupCallOptions extends Common {
  readonly to?: string
  readonly keepDays?: number
}

/** Backs the home of this data folder up into another folder, beside a running server or without one. */
export async function backUp(call: Call<BackupCallOptions>): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const to = targetOf(folder, call.options.to)
  checkHome(folder)
  const { days, backups } = keptFor(settings, call.options.keepDays)
  if (backups !== settings.backups) writeSettings(folder, { ...settings, backups })
  checkStated(folder, backups)
  const stores = await openStores(folder)
  const { screen } = call
  const progress = screen.progress({ doing: 'Backing up', unit: 'blocks' })
  screen.stopping.keeps(() => `What is in ${to} is kept: the same command goes on with it.`)
  try {
    const home = {
      deployment: asDeploymentId(settings.deployment),
      origin: settings.origin,
      registry: settings.registry,
      backupDays: days,
    }
    const report = await backupHome(stores.source, openFolderObjects(to), home, () => Date.now(), {
      progress: ({ blocks }) => progress.update(blocks),
    })
    progress.stop()
    return said(call, to, report)
  } catch (error) {
    if (isAmpereError(error, 'ALREADY_EXISTS', 'GONE'))
      throw refuse(error.code, `${to}: ${error.message}`, 'name a folder of its own for each backup', error)
    throw error
  } finally {
    progress.stop()
    await stores.close()
  }
}

function said({ screen }: Call, to: string, report: BackupReport): number {
  const { totals, time, expires, digest, resumed } = report
  screen.print({ ok: true, folder: to, ...totals, time, expires, digest, resumed }, [
    `Backed up: ${counted(totals.chains, 'chain')}, ${counted(totals.blocks, 'block')}, ${counted(totals.objects, 'sealed object')}, ${counted(totals.logFiles, 'file')} of the log, as of ${localTime(time)}.`,
    `In ${to}, with the digest ${digest ?? ''}`,
    `Remove it by ${localTime(expires)}: from then on the home says of what it erased that no backup has it.`,
    'No key is in it: home/keys.json, institutions/ and the passphrase have backups of their own (docs/OPERATIONS.md, "Back up").',
    `Next  npx ampere restore --from ${to} --drill`,
  ])
  return EXIT.ok
}

function targetOf(folder: string, given: string | undefined): string {
  if (given === undefined) throw usage('--to: a folder for this backup is expected')
  const to = resolve(given)
  const way = relative(folder, to)
  if (!way.startsWith('..') && way !== to)
    throw usage('--to: a folder outside the data folder is expected: what is lost with it is no backup')
  if (existsSync(to) && !existsSync(join(to, BEGIN_NAME)) && readdirSync(to).length > 0)
    throw usage(`--to: ${to} holds something else, and a folder of its own is expected`)
  return to
}

/** For how long this backup is kept, and what the home is to state from now on: the longest that was ever given. */
function keptFor(
  { backups = null }: Settings,
  given: number | undefined,
): { readonly days: number; readonly backups: NonNullable<Settings['backups']> } {
  const days = given ?? backups?.days ?? 0
  if (days < 1)
    throw refuse(
      'CONFIGURATION',
      'this home states of what it erases that no backup has it, and a backup has it until it is removed',
      'say for how many days backups are kept: --keep-days 30',
    )
  if (backups && backups.days >= days) return { days, backups }
  return { days, backups: { days, since: toTimestamp(Date.now()) } }
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
