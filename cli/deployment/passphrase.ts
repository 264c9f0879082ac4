// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { passphraseFrom } from '#adapters/local/keys/passphrase.ts'
import { refuse, usage } from '../program/refuse.ts'
import type { Common, Screen } from '../terminal/screen.ts'
import type { PassphraseSource } from './settings.ts'

/** A typed passphrase shorter than this is refused: scrypt slows guessing down, it does not stop it. */
export const MIN_LENGTH = 12

/** One way of keeping a passphrase. */
interface Keeper<Kind extends PassphraseSource['kind']> {
  /** The passphrase as it is kept. */
  read(source: Extract<PassphraseSource, { kind: Kind }>, folder: string, screen: Screen): Promise<string>
  /** A passphrase for a new deployment, kept before it is returned. */
  make(source: Extract<PassphraseSource, { kind: Kind }>, folder: string, screen: Screen): Promise<string>
}

const KEEPERS: { readonly [Kind in PassphraseSource['kind']]: Keeper<Kind> } = {
  generated: {
    read: async (_, folder) => readPassphraseFile(join(folder, 'passphrase')),
    make: async (_, folder) => {
      const made = randomBytes(24).toString('base64url')
      writeFileSync(join(folder, 'passphrase'), `${made}\n`, { mode: 0o600, flag: 'wx' })
      return made
    },
  },
  file: {
    read: async ({ path }) => readPassphraseFile(path),
    make: async ({ path }) => checked(readPassphraseFile(path)),
  },
  prompt: {
    read: (_, __, screen) => screen.ask({ message: 'Passphrase', flag: '--passphrase-file', secret: true }),
    make: async (_, __, screen) => {
      const first = await screen.ask({
        message: `New passphrase, at least ${MIN_LENGTH} characters`,
        flag: '--passphrase-file',
        secret: true,
        check: (text) => (text.length < MIN_LENGTH ? `At least ${MIN_LENGTH} characters` : undefined),
      })
      await screen.ask({
        message: 'The same again',
        flag: '--passphrase-file',
        secret: true,
        check: (text) => (text === first ? undefined : 'It differs from the first one'),
      })
      return first
    },
  },
  keychain: {
    read: (_, folder) => passphraseFrom({ folder, source: { from: 'keychain' } }),
    make: (_, folder) => passphraseFrom({ folder, source: { from: 'keychain' }, create: true }),
  },
}

/**
 * The passphrase of a deployment's key files: from --passphrase-file, else AMPERE_PASSPHRASE_FILE, else from
 * where the deployment keeps it.
 */
export async function readPassphrase(
  folder: string,
  source: PassphraseSource,
  options: Pick<Common, 'passphraseFile'>,
  screen: Screen,
): Promise<string> {
  const file = options.passphraseFile ?? passphraseFileIn(screen.terminal.env)
  if (file === '-') return readLine(screen)
  return file === undefined
    ? keeperOf(source).read(source, folder, screen)
    : readPassphraseFile(resolve(file))
}

/** How a person says where the passphrase of new key files is to be kept. */
export interface PassphraseOptions extends Pick<Common, 'passphraseFile'> {
  readonly passphrase?: 'generated' | 'keychain' | 'prompt'
}

/** Where it is to be kept. @throws CommanderError (usage) */
export function passphraseSourceOf({ passphrase, passphraseFile }: PassphraseOptions): PassphraseSource {
  if (passphraseFile !== undefined && passphrase !== undefined)
    throw usage('give --passphrase or --passphrase-file, not both')
  // From standard input it is kept nowhere, so it will be asked for.
  if (passphraseFile === '-') return { kind: 'prompt' }
  if (passphraseFile !== undefined) return { kind: 'file', path: resolve(passphraseFile) }
  return { kind: passphrase ?? 'generated' }
}

/** What AMPERE_PASSPHRASE_FILE says; an empty variable says nothing, as is usual for variables. */
export function passphraseFileIn(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const file = env['AMPERE_PASSPHRASE_FILE']
  return file === '' ? undefined : file
}

/** A passphrase for a new deployment in `folder`. */
export function makePassphrase(folder: string, source: PassphraseSource, screen: Screen): Promise<string> {
  return keeperOf(source).make(source, folder, screen)
}

function keeperOf<Kind extends PassphraseSource['kind']>(source: { readonly kind: Kind }): Keeper<Kind> {
  return KEEPERS[source.kind]
}

function readPassphraseFile(file: string): string {
  if (!existsSync(file)) {
    const message = `the passphrase file ${file} is not there, and without it no key opens`
    throw refuse(
      'KEY_UNAVAILABLE',
      message,
      'restore it from a copy, or name another: --passphrase-file FILE',
    )
  }
  const text = readFileSync(file, 'utf8').trim()
  if (text === '') throw refuse('PASSPHRASE_WRONG', `the passphrase file ${file} is empty`)
  return text
}

function checked(text: string): string {
  if (text.length >= MIN_LENGTH) return text
  throw usage(`the passphrase has fewer than ${MIN_LENGTH} characters`)
}

/** The first line of standard input. */
async function readLine({ terminal }: Screen): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of terminal.input) chunks.push(Buffer.from(chunk as Uint8Array))
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split('\n')
  if (line.trim() === '') throw usage('standard input has no passphrase')
  return line.trim()
}
