// SPDX-License-Identifier: Apache-2.0
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { chainsOf, storedSource } from '#core/server/copy/source.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { loggedHeight } from '#core/server/store/log.ts'
import { loadHead } from '#core/server/store/rows.ts'
import type { OpenHome } from '../open/home.ts'

/** What a data folder has beside its home, and the new one is to have too. */
const BESIDE = ['institutions', 'passphrase', 'keychain-id', 'monitors.json', 'patient-keys.json', 'evidence']

/**
 * Copies what is not the home's: institutions with their keys and tables, and where the passphrase is. Each takes its place
 * when it is whole; what is there stays.
 */
export function copyBeside(from: string, to: string): void {
  for (const name of BESIDE) {
    if (!existsSync(join(from, name)) || existsSync(join(to, name))) continue
    const staging = mkdtempSync(join(to, '.copy-'))
    try {
      cpSync(join(from, name), join(staging, name), { recursive: true, preserveTimestamps: true })
      renameSync(join(staging, name), join(to, name))
    } finally {
      rmSync(staging, { recursive: true, force: true })
    }
  }
}

/** Logs until nothing is left to log: before that a home must state no head. @throws AmpereError STORE_CORRUPT when it stands still */
export async function logAll({ platform, tendLog }: Pick<OpenHome, 'platform' | 'tendLog'>): Promise<void> {
  for (let before = Number.POSITIVE_INFINITY; ;) {
    await tendLog()
    const left = await unlogged(platform)
    if (left === 0) return
    if (left >= before) throw new AmpereError('STORE_CORRUPT', `${left} blocks cannot be logged`)
    before = left
  }
}

async function unlogged(platform: Platform): Promise<number> {
  const [blocks, leaves] = [platform.table('blocks'), platform.table('leaves')]
  let left = 0
  for await (const chain of chainsOf(storedSource(await select(platform, BACKUP_NEEDS)))) {
    const head = await loadHead(blocks, chain)
    if (head) left += Math.max(0, head.block.height - (await loggedHeight(leaves, chain)))
  }
  return left
}
