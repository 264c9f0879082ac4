// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { layeredSource } from '#core/server/copy/layered-source.ts'
import type { HomeSource } from '#core/server/copy/source.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome, type RestoreReport } from '#core/server/restore/restore.ts'
import { openCloudStores, type BackedUp } from '../../backup/backed-up.ts'
import { lookAtRestored, lookedLines, type LookedAt } from '../../backup/look.ts'
import { openBackupFolder, openStores } from '../../backup/open-backup.ts'
import type { Clouds } from '../../cloud/clouds.ts'
import { deployedAs, settingsIn } from '../../cloud/target.ts'
import { readPassphrase } from '../../deployment/passphrase.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import type { Settings } from '../../deployment/settings.ts'
import { pinnedSigners } from '../../migrate/lost/gone.ts'
import { readPolicy } from '../../open/policy.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { homeOf } from '../../open/home.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

export interface DrillOptions extends CloudOption {
  readonly expired?: boolean
}

/** The home whose backup is tried: what it acknowledged since, and by which keys all of it is verified. */
interface Tried {
  readonly folder: string
  readonly settings: Settings
  readonly live: BackedUp['stores']
  readonly signers: (source: HomeSource) => Promise<Platform['signer']>
  readonly close: () => Promise<void>
}

/**
 * Restores a backup into a folder of its own, with what the home acknowledged since, erasures above all, looks at what came
 * of it, and removes it. Nothing is served or signed from there, and the home is only read.
 */
export async function drill(clouds: Clouds, call: Call<DrillOptions>, from: string): Promise<number> {
  const { screen, options } = call
  const tried =
    options.cloud === undefined ? await triedHere(call) : await triedInCloud(clouds, call, options.cloud)
  try {
    const { folder, settings, live, signers } = tried
    const backup = await openBackupFolder(from, settings, options.expired === true)
    const source = layeredSource(backup.source, live.source)
    const scratch = mkdtempSync(join(tmpdir(), 'ampere-drill-'))
    const stores = openLocal({ folder: scratch, passphrase: null })
    const progress = screen.progress({ doing: 'Restoring', unit: 'blocks' })
    try {
      const platform: Platform = { ...stores, signer: await signers(source) }
      const home = homeOf(settings, platform)
      const report = await restoreHome(source, await select(platform, RESTORE_NEEDS), home, {
        seen: [],
        policy: readPolicy(folder, settings.origin),
        acceptLoss: false,
        restored: (blocks) => progress.update(blocks),
      })
      progress.stop()
      const looked = await lookAtRestored(screen, platform, home, backup.source)
      return said(call, backup.begin.time, report, looked)
    } finally {
      progress.stop()
      await stores.close()
      if (existsSync(scratch)) rmSync(scratch, { recursive: true })
    }
  } finally {
    await tried.close()
  }
}

async function triedHere(call: Call<DrillOptions>): Promise<Tried> {
  const { folder, settings } = deploymentOf(call)
  const passphrase = await readPassphrase(folder, settings.passphrase, call.options, call.screen)
  const live = await openStores(folder)
  const keys = openLocal({ folder: join(folder, 'home'), passphrase, beside: true, readOnly: true })
  const close = async () => {
    for (const each of [keys, live]) await each.close()
  }
  return { folder, settings, live, signers: async () => (name) => keys.signer(name), close }
}

/** Its keys are the cloud's: what was signed is verified by their public halves, as where a home is gone. */
async function triedInCloud(clouds: Clouds, call: Call<DrillOptions>, name: string): Promise<Tried> {
  const { folder, deployment, home } = deployedAs(call, name)
  const settings = settingsIn(folder, deployment, home)
  const live = await openCloudStores(clouds, call, name)
  return { folder, settings, live, signers: (source) => pinnedSigners(settings, source), close: live.close }
}

function said({ screen }: Call, time: string, report: RestoreReport, looked: LookedAt): number {
  const { chains, blocks, erasures } = report
  const { compared, findings, isOk } = looked
  screen.print({ ok: isOk, time, chains, blocks, erasures, compared, findings }, [
    `Restored to try it: ${counted(chains, 'chain')}, ${counted(blocks, 'block')}, with what came after ${localTime(time)}; ${counted(erasures, 'erasure')} carried out again.`,
    ...lookedLines(looked),
    'Nothing of it is kept.',
  ])
  return isOk ? EXIT.ok : EXIT.verification
}
