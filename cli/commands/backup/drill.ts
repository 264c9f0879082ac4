// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { layeredSource } from '#core/server/copy/layered-source.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome, type RestoreReport } from '#core/server/restore/restore.ts'
import { lookAtRestored, lookedLines, type LookedAt } from '../../backup/look.ts'
import { openBackupFolder, openStores } from '../../backup/open-backup.ts'
import { readPassphrase } from '../../deployment/passphrase.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { readPolicy } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { homeOf } from '../../open/home.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

export interface DrillOptions extends Common {
  readonly expired?: boolean
}

/**
 * Restores a backup into a folder of its own, with what the home acknowledged since, erasures above all, looks at what came
 * of it, and removes it. Nothing is served or signed from there, and the home is only read.
 */
export async function drill(call: Call<DrillOptions>, from: string): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const { screen, options } = call
  const passphrase = await readPassphrase(folder, settings.passphrase, options, screen)
  const backup = await openBackupFolder(from, settings, options.expired === true)
  const keys = openLocal({ folder: join(folder, 'home'), passphrase, beside: true, readOnly: true })
  const live = await openStores(folder)
  const scratch = mkdtempSync(join(tmpdir(), 'ampere-drill-'))
  const remove = () => {
    if (existsSync(scratch)) rmSync(scratch, { recursive: true })
  }
  const stores = openLocal({ folder: scratch, passphrase: null })
  const platform: Platform = { ...stores, signer: (name) => keys.signer(name) }
  const progress = screen.progress({ doing: 'Restoring', unit: 'blocks' })
  try {
    const home = homeOf(settings, platform)
    const report = await restoreHome(
      layeredSource(backup.source, live.source),
      await select(platform, RESTORE_NEEDS),
      home,
      {
        seen: [],
        policy: readPolicy(folder, settings.origin),
        acceptLoss: false,
        restored: (blocks) => progress.update(blocks),
      },
    )
    progress.stop()
    const looked = await lookAtRestored(screen, platform, home, backup.source)
    return said(call, backup.begin.time, report, looked)
  } finally {
    progress.stop()
    for (const each of [stores, keys, live]) await each.close()
    remove()
  }
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
