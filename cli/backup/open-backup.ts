// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { openFolderObjects } from '#adapters/local/store/folder-objects.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import { isAmpereError } from '#core/errors.ts'
import { select } from '#core/ports/needs.ts'
import { backupSource, type Backup } from '#core/server/backup/backup-source.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { openBackup } from '#core/server/backup/part-reader.ts'
import { layeredSource } from '#core/server/copy/layered-source.ts'
import { storedSource } from '#core/server/copy/source.ts'
import type { Settings } from '../deployment/settings.ts'
import { isServer, openMirrorCopy, type CopySource } from '../mirror/copy-source.ts'
import { refuse } from '../program/refuse.ts'
import type { OpenFrom } from '../restore/restore-lost.ts'

/** A backup in a folder. */
export interface OpenBackup extends CopySource, Backup {}

/**
 * The backup of this deployment's home in a folder.
 * @param expired take one that should be gone, too
 * @throws AmpereError NOT_FOUND, STORE_CORRUPT, STORE_VERSION, GONE
 */
export async function openBackupFolder(
  given: string,
  settings: Pick<Settings, 'deployment' | 'origin' | 'registry'>,
  expired: boolean,
): Promise<OpenBackup> {
  const folder = resolve(given)
  const [files, backup] = await opened(folder)
  const { begin } = backup
  const { deployment, origin, registry } = begin
  if (deployment !== settings.deployment || origin !== settings.origin || registry !== settings.registry)
    throw refuse('NOT_FOUND', `the backup in ${folder} is of another home`)
  if (!expired && timestampMs(begin.expires) < Date.now())
    throw refuse(
      'GONE',
      `the backup in ${folder} should be gone since ${begin.expires}: the home states of what it erased that no backup has it any more`,
      'take a newer one, and remove this one; or --expired, if there is none: what is known to be erased is erased again',
    )
  const source = backupSource(files, backup)
  return { ...backup, name: folder, source, since: begin.time, close: async () => undefined }
}

async function opened(folder: string): Promise<[ReturnType<typeof openFolderObjects>, Backup]> {
  try {
    const files = openFolderObjects(folder, { readOnly: true })
    return [files, await openBackup(files)]
  } catch (cause) {
    if (!isAmpereError(cause, 'NOT_FOUND', 'STORE_CORRUPT')) throw cause
    const next =
      cause.code === 'NOT_FOUND'
        ? 'name the folder that ampere backup --to wrote'
        : 'run ampere backup --to FOLDER again where it was interrupted, or take another backup'
    throw refuse(cause.code, `${folder}: ${cause.message}`, next, cause)
  }
}

/** The stores of a home in a data folder, read beside the process that has them. @throws AmpereError NOT_FOUND */
export async function openStores(folder: string): Promise<Pick<CopySource, 'source' | 'close'>> {
  const home = join(folder, 'home')
  if (!existsSync(join(home, 'ampere.db')))
    throw refuse('NOT_FOUND', `there is no home in ${folder}`, 'name a data folder')
  const platform = openLocal({ folder: home, passphrase: null, beside: true, readOnly: true })
  const source = storedSource(await select(platform, BACKUP_NEEDS))
  return { source, close: () => platform.close() }
}

/**
 * A backup, and behind it what was acknowledged since it was made as far as somebody has it: a mirror, by its folder or URL, a
 * later backup, or the data folder of the home itself.
 */
export async function openBackupCopy(
  from: OpenFrom,
  given: { readonly from: string; readonly newer?: string; readonly expired: boolean },
): Promise<CopySource> {
  const backup = await openBackupFolder(given.from, from.settings, given.expired)
  if (given.newer === undefined) return backup
  const newer = await openNewer(from, given.newer)
  return {
    name: `${backup.name} and ${given.newer}`,
    source: layeredSource(backup.source, newer.source),
    since: newer.since ?? backup.since,
    close: newer.close,
  }
}

async function openNewer(from: OpenFrom, given: string): Promise<Omit<CopySource, 'name'>> {
  if (isServer(given)) return openMirrorCopy(given, from)
  if (existsSync(join(given, 'backup.json'))) return openBackupFolder(given, from.settings, false)
  if (existsSync(join(given, 'mirror.json'))) return openMirrorCopy(given, from)
  return { ...(await openStores(given)), since: null }
}
