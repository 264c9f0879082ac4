// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as v from 'valibot'
import { asDigest, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { AmpereError } from '#core/errors.ts'

/** Version of the settings file; a newer one is refused rather than guessed at. */
export const SETTINGS_VERSION = 1

export const passphraseSource = v.variant('kind', [
  /** A random one in the file `passphrase` of the data folder. */
  v.strictObject({ kind: v.literal('generated') }),
  v.strictObject({ kind: v.literal('file'), path: v.string() }),
  /** Typed by a person, each time. */
  v.strictObject({ kind: v.literal('prompt') }),
  /** A random one in the keychain of the account that set the folder up. */
  v.strictObject({ kind: v.literal('keychain') }),
])
const settingsSchema = v.strictObject({
  v: v.literal(SETTINGS_VERSION),
  registry: v.string(),
  deployment: v.string(),
  origin: v.string(),
  elsewhere: v.exactOptional(v.literal(true)),
  log: v.optional(v.array(v.string()), []),
  left: v.optional(v.array(v.string()), []),
  institutions: v.pipe(v.array(v.string()), v.minLength(1)),
  passphrase: v.optional(passphraseSource, { kind: 'generated' }),
  backups: v.optional(
    v.nullable(
      v.strictObject({ days: v.pipe(v.number(), v.safeInteger(), v.minValue(1)), since: v.string() }),
    ),
    null,
  ),
  /** Null for a deployment that is no demonstration; its registry says the same, for ever. */
  demo: v.nullable(v.strictObject({ record: v.nullable(v.string()), patient: v.nullable(v.string()) })),
})

/** Where the passphrase of the key files comes from. */
export type PassphraseSource = v.InferOutput<typeof passphraseSource>

/** What the demo did, so that a second start does not do it again; nothing yet while `record` is null. */
export interface DemoState {
  readonly record: ChainId | null
  readonly patient: string | null
}

/** What the command line remembers of a deployment; no secret is in it. */
export interface Settings {
  readonly v: typeof SETTINGS_VERSION
  readonly registry: Digest
  readonly deployment: string
  readonly origin: string
  /** The home is on another machine: the folder has the keys of app instances that were enrolled there, and no home. */
  readonly elsewhere?: true
  /** Verifier keys of the home's log (c2sp.org/signed-note). */
  readonly log: readonly string[]
  /** The same of homes that records left for this one: older receipts are of their logs. */
  readonly left?: readonly string[]
  readonly institutions: readonly string[]
  readonly passphrase: PassphraseSource
  /**
   * For how many days backups are kept, which the home says of all that it erases, and since when it is to say so; null where
   * none are made.
   */
  readonly backups?: { readonly days: number; readonly since: string } | null
  readonly demo: DemoState | null
}

/** Folder of the data unless AMPERE_DATA or --data says otherwise. */
export function dataFolder(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  // An empty variable says nothing, as is usual for variables.
  const named = given ?? (env['AMPERE_DATA'] === '' ? undefined : env['AMPERE_DATA'])
  return resolve(named ?? join(process.cwd(), '.ampere'))
}

/** Settings of a folder, or null when nothing was set up there. @throws AmpereError STORE_CORRUPT, STORE_VERSION */
export function readSettings(folder: string): Settings | null {
  const file = join(folder, 'settings.json')
  if (!existsSync(file)) return null
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', `${file} is damaged`, { cause })
  }
  const { v: version } = content as { v?: unknown }
  if (typeof version === 'number' && version > SETTINGS_VERSION) {
    throw new AmpereError(
      'STORE_VERSION',
      `the data folder is of version ${version}, this software knows ${SETTINGS_VERSION}`,
    )
  }
  const parsed = v.safeParse(settingsSchema, content)
  if (!parsed.success) throw new AmpereError('STORE_CORRUPT', `${file} is damaged`)
  return { ...parsed.output, registry: asDigest(parsed.output.registry) } as Settings
}

/** Replaces the settings as a whole. */
export function writeSettings(folder: string, settings: Settings): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'settings.json')
  writeFileSync(`${file}.tmp`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.tmp`, file)
}
