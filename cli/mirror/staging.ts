// SPDX-License-Identifier: Apache-2.0
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import { homeKeyFile } from '../deployment/files.ts'

/** A home that is being restored, beside the place that it will take. */
export interface Staging {
  readonly platform: Platform
  /** True when an earlier restore from the same mirror is gone on with. */
  readonly isResumed: boolean
  /** Puts it in the place of the home. @returns where the lost one is kept, with its copy of the key file */
  readonly take: (nowMs: number) => Promise<string>
  /** Forgets what was restored, so that the next time begins anew. */
  readonly discard: () => Promise<void>
}

/** Names the mirror from which a home is being restored. */
const FROM = 'restored-from'

/**
 * Opens what an interrupted restore left, or a new folder where there is none, or one from another mirror. One process
 * restores at a time. @throws AmpereError STORE_LOCKED
 */
export async function openStaging(
  folder: string,
  from: string,
  passphrase: string | StretchedPassphrase,
): Promise<Staging> {
  const staging = join(folder, 'home.restoring')
  const marker = join(staging, FROM)
  const open = () => {
    mkdirSync(staging, { recursive: true, mode: 0o700 })
    cpSync(homeKeyFile(folder), join(staging, 'keys.json'))
    return openLocal({ folder: staging, passphrase })
  }
  // Whoever has the folder open is restoring: its lock is asked for before anything there is removed.
  let platform = open()
  const isResumed = existsSync(marker) && readFileSync(marker, 'utf8') === from
  if (!isResumed) {
    await platform.close()
    rmSync(staging, { recursive: true, force: true })
    platform = open()
    writeFileSync(marker, from, { mode: 0o600 })
  }
  return {
    platform,
    isResumed,
    take: async (nowMs) => {
      await platform.close()
      rmSync(marker)
      const kept = join(folder, `home.lost-${nowMs}`)
      renameSync(join(folder, 'home'), kept)
      renameSync(staging, join(folder, 'home'))
      return kept
    },
    discard: async () => {
      await platform.close()
      rmSync(staging, { recursive: true, force: true })
    },
  }
}
