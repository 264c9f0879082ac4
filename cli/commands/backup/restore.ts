// SPDX-License-Identifier: Apache-2.0
import type { Call } from '../../program/command.ts'
import { openBackupCopy, openBackupFolder } from '../../backup/open-backup.ts'
import { lookAtRestored, lookedLines } from '../../backup/look.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { restoreLost, type RestoreCallOptions } from '../../restore/restore-lost.ts'
import type { Clouds } from '../../cloud/clouds.ts'
import { drill } from './drill.ts'

export interface BackupRestoreOptions extends RestoreCallOptions {
  readonly from?: string
  readonly newer?: string
  readonly verify?: boolean
  readonly drill?: boolean
  readonly expired?: boolean
}

/** Restores the lost home of this data folder from a backup, or with `--drill` tries whether it, or one in a cloud, could be. */
export function restoreOn(clouds: Clouds) {
  return async (call: Call<BackupRestoreOptions>): Promise<number> => {
    const { from, drill: isDrill = false, cloud } = call.options
    if (from === undefined) throw usage('--from: the folder of a backup is expected')
    if (isDrill) return drill(clouds, call, from)
    if (cloud === undefined) return restoreHere(call, from)
    throw refuse(
      'UNSUPPORTED',
      `the keys of ${cloud} are the cloud's, and went with its stores: it is not restored, but moved into a new home, with all that the backup has`,
      `npx ampere migrate --from ${from} --cloud ${cloud} --to TARGET`,
    )
  }
}

async function restoreHere(call: Call<BackupRestoreOptions>, from: string): Promise<number> {
  const { newer, verify = false, expired = false } = call.options
  const given = { from, expired, ...(newer === undefined ? {} : { newer }) }
  return restoreLost(call, {
    word: 'backup',
    open: (with_) => openBackupCopy(with_, given),
    ...(verify ? { look: lookAt(call, from) } : {}),
  })
}

function lookAt(call: Call<BackupRestoreOptions>, from: string) {
  return async (...[platform, home]: Parameters<NonNullable<Parameters<typeof restoreLost>[1]['look']>>) => {
    const { deployment, origin, registry } = home
    const backup = await openBackupFolder(from, { deployment, origin, registry: registry.pinned }, true)
    const looked = await lookAtRestored(call.screen, platform, home, backup.source)
    const lines = lookedLines(looked)
    if (looked.isOk || call.options.acceptLoss === true)
      return { json: { compared: looked.compared, findings: looked.findings }, line: lines.join('\n') }
    throw refuse(
      'VERIFICATION_FAILED',
      `what was restored is not what the backup has, and does not take its place:\n${lines.join('\n')}`,
      'take another backup, or a mirror; with --accept-loss it takes its place all the same',
    )
  }
}
