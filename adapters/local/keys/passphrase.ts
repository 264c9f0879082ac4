// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { isSystemError, translate } from '../errors.ts'
import { createFile, makeFolder } from '../store/durable-file.ts'
import { keychainOf } from './keychain.ts'

/** Where the passphrase of a data folder's key files comes from. */
export type PassphraseSource =
  /** A file, `passphrase` in the data folder unless another is named: protects copies of the data without it. */
  | { readonly from: 'file'; readonly file?: string }
  /** The keychain of the account that runs this process. */
  | { readonly from: 'keychain' }
  /** A person, asked by `ask`. */
  | { readonly from: 'prompt'; readonly ask: () => Promise<string> }

/** Which passphrase is wanted. */
export interface PassphraseRequest {
  readonly folder: string
  readonly source: PassphraseSource
  /**
   * Makes one where there is none. Only for a folder that is being set up: elsewhere a new passphrase opens
   * nothing, and hides that the right one is missing.
   */
  readonly create?: boolean
}

/**
 * The passphrase of a data folder's key files; never empty.
 * @throws AmpereError KEY_UNAVAILABLE when the source has none or cannot be asked; STORE_UNAVAILABLE, STORE_FULL
 */
export async function passphraseFrom(request: PassphraseRequest): Promise<string> {
  const passphrase = await ask(request)
  if (passphrase === '') throw new AmpereError('KEY_UNAVAILABLE', 'the passphrase is empty')
  return passphrase
}

async function ask({ folder, source, create = false }: PassphraseRequest): Promise<string> {
  switch (source.from) {
    case 'prompt':
      return source.ask()
    case 'file':
      return fromFile(folder, source.file ?? join(folder, 'passphrase'), create)
    case 'keychain':
      return fromKeychain(folder, create)
  }
}

async function fromKeychain(folder: string, create: boolean): Promise<string> {
  const keychain = keychainOf(folder)
  const kept = await keychain.get()
  if (kept !== null) return kept
  if (!create) {
    const message = 'the keychain has no passphrase for this data folder: use the account that set it up'
    throw new AmpereError('KEY_UNAVAILABLE', message)
  }
  const made = newPassphrase()
  await keychain.set(made)
  // Read back: a key file made with a passphrase that was not kept could never be opened.
  if ((await keychain.get()) !== made)
    throw new AmpereError('KEY_UNAVAILABLE', 'the keychain did not keep the passphrase')
  return made
}

function fromFile(folder: string, file: string, create: boolean): string {
  return translate(() => {
    const kept = readTrimmed(file)
    if (kept !== null) return kept
    if (!create) {
      const message = 'the passphrase file is not there: restore it, or name another one'
      throw new AmpereError('KEY_UNAVAILABLE', message)
    }
    makeFolder(resolve(folder))
    const made = newPassphrase()
    return createFile(file, `${made}\n`) ? made : (readTrimmed(file) ?? '')
  })
}

function readTrimmed(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null
    throw error
  }
}

/** 24 random bytes as text: nobody has to remember it. */
function newPassphrase(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url')
}
