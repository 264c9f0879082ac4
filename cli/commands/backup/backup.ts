// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { openFolderObjects } from '#adapters/local/store/folder-objects.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { isAmpereError } from '#core/errors.ts'
import { BEGIN_NAME } from '#core/server/backup/format/manifest.ts'
import { backupHome, type BackupReport } from '#core/server/backup/backup.ts'
import { homeHere, homeInCloud, type BackedUp, type KeepOptions } from '../../backup/backed-up.ts'
import type { Clouds } from '../../cloud/clouds.ts'
import { dataFolder } from '../../deployment/settings.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

interface BackupCallOptions extends KeepOptions {
  readonly to?: string
}

/** Backs a home up into a folder, while it answers or not: that of this data folder, or one in a cloud. */
export function backUpOn(clouds: Clouds) {
  return async (call: Call<BackupCallOptions>): Promise<number> => {
    const { options, screen } = call
    const to = targetOf(dataFolder(options.data, screen.terminal.env), options.to)
    const home =
      options.cloud === undefined ? await homeHere(call) : await homeInCloud(clouds, call, options.cloud)
    return written(call, to, home)
  }
}

async function written(call: Call, to: string, home: BackedUp): Promise<number> {
  const { screen } = call
  const { settings, days: backupDays, stores } = home
  const progress = screen.progress({ doing: 'Backing up', unit: 'blocks' })
  screen.stopping.keeps(() => `What is in ${to} is kept: the same command goes on with it.`)
  const { origin, registry } = settings
  const about = { deployment: asDeploymentId(settings.deployment), origin, registry, backupDays }
  try {
    const report = await backupHome(stores.source, openFolderObjects(to), about, () => Date.now(), {
      progress: ({ blocks }) => progress.update(blocks),
    })
    progress.stop()
    return said(call, to, home, report)
  } catch (error) {
    if (isAmpereError(error, 'ALREADY_EXISTS', 'GONE'))
      throw refuse(error.code, `${to}: ${error.message}`, 'name a folder of its own for each backup', error)
    throw error
  } finally {
    progress.stop()
    await stores.close()
  }
}

function said({ screen }: Call, to: string, { named, keysIn }: BackedUp, report: BackupReport): number {
  const { totals, time, expires, digest, resumed } = report
  screen.print({ ok: true, folder: to, ...totals, time, expires, digest, resumed }, [
    `Backed up: ${counted(totals.chains, 'chain')}, ${counted(totals.blocks, 'block')}, ${counted(totals.objects, 'sealed object')}, ${counted(totals.logFiles, 'file')} of the log, as of ${localTime(time)}.`,
    `In ${to}, with the digest ${digest ?? ''}`,
    `Remove it by ${localTime(expires)}: from then on the home says of what it erased that no backup has it.`,
    `No key is in it: for ${keysIn} there are backups of their own (docs/OPERATIONS.md, "Back up").`,
    `Next  npx ampere restore --from ${to} --drill${named}`,
  ])
  return EXIT.ok
}

function targetOf(folder: string, given: string | undefined): string {
  if (given === undefined) throw usage('--to: a folder for this backup is expected')
  const to = resolve(given)
  const way = relative(folder, to)
  if (!way.startsWith('..') && way !== to)
    throw usage('--to: a folder outside the data folder is expected: what is lost with it is no backup')
  const holds = existsSync(to) ? readdirSync(to) : []
  // What broke off before it began has left no more than the folder of unfinished files.
  if (!holds.includes(BEGIN_NAME) && holds.some((name) => name !== 'tmp'))
    throw usage(`--to: ${to} holds something else, and a folder of its own is expected`)
  return to
}
