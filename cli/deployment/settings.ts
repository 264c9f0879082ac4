// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChainId, Digest } from '#core/bytes/ids.ts'
import { AmpereError } from '#core/errors.ts'

/** What the command line remembers of a deployment; no secret is in it. */
export interface Settings {
  readonly v: 1
  readonly registry: Digest
  readonly deployment: string
  readonly origin: string
  readonly institutions: readonly string[]
  readonly demo: DemoState | null
}

/** What the demo did, so that a second start does not do it again. */
export interface DemoState {
  readonly record: ChainId
  readonly patient: string
}

/** Folder of the data unless AMPERE_DATA or --data says otherwise. */
export function dataFolder(given: string | undefined): string {
  return given ?? process.env['AMPERE_DATA'] ?? join(process.cwd(), '.ampere')
}

/** Settings of a folder, or null when nothing was set up there. @throws AmpereError STORE_CORRUPT */
export function readSettings(folder: string): Settings | null {
  const file = join(folder, 'settings.json')
  if (!existsSync(file)) return null
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Settings
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', `${file} is damaged`, { cause })
  }
}

/** Replaces the settings as a whole. */
export function writeSettings(folder: string, settings: Settings): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'settings.json')
  writeFileSync(`${file}.tmp`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.tmp`, file)
}

/**
 * The passphrase of the key files: AMPERE_PASSPHRASE_FILE, else a random one kept beside the data (mode 0600),
 * which protects copies of the data that lack this file, and nothing else.
 */
export function passphraseOf(folder: string): string {
  const file = process.env['AMPERE_PASSPHRASE_FILE'] ?? join(folder, 'passphrase')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const made = randomBytes(24).toString('base64url')
  writeFileSync(file, `${made}\n`, { mode: 0o600, flag: 'wx' })
  return made
}
