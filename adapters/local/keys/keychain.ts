// SPDX-License-Identifier: Apache-2.0
import type { AsyncEntry } from '@napi-rs/keyring'
import { readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { isSystemError, translate } from '../errors.ts'
import { createFile, makeFolder } from '../store/durable-file.ts'

/** Under which name the operating system lists the passphrases. */
export const KEYCHAIN_SERVICE = 'Ampere'
/** 16 random bytes as base64url. */
const ACCOUNT = /^[A-Za-z0-9_-]{22}$/
/** What a person can do in each of the cases. */
const ELSE = 'or give a passphrase file instead'

/**
 * The passphrase of one data folder in the operating system's keychain (macOS Keychain, Windows Credential
 * Manager, Secret Service on Linux). Trusted: whoever may use the account on this computer can read it.
 * @throws AmpereError KEY_UNAVAILABLE when there is no keychain, or it is locked
 */
export interface Keychain {
  /** null when this folder has none. */
  get(): Promise<string | null>
  /** Replaces the one that is there. */
  set(passphrase: string): Promise<void>
  /** False when there was none. */
  remove(): Promise<boolean>
}

/**
 * The keychain of the account that runs this process. The folder names its entry in the file `keychain-id`, so
 * that the folder can be moved; a copy of the folder shares the entry, as it has the same keys.
 */
export function keychainOf(folder: string): Keychain {
  const file = join(resolve(folder), 'keychain-id')
  return {
    get: async () => {
      const account = readAccount(file)
      return account === null ? null : (await use(account, (entry) => entry.getPassword())) || null
    },
    set: async (passphrase) => {
      const account = readAccount(file) ?? makeAccount(folder, file)
      await use(account, (entry) => entry.setPassword(passphrase))
    },
    remove: async () => {
      const account = readAccount(file)
      if (account === null) return false
      const removed = await use(account, (entry) => entry.deletePassword())
      translate(() => rmSync(file, { force: true }))
      return removed
    },
  }
}

async function use<T>(account: string, act: (entry: AsyncEntry) => Promise<T>): Promise<T> {
  const Entry = await loadEntry()
  try {
    // Elsewhere than in the Secret Service, Linux would keep it until the next start of the computer only.
    return await act(new Entry(KEYCHAIN_SERVICE, account, { linux: { store: 'secret-service' } }))
  } catch (cause) {
    throw new AmpereError('KEY_UNAVAILABLE', `the keychain does not answer: unlock it, ${ELSE}`, { cause })
  }
}

/** The native module, when it is first needed: a computer without it can use everything else. */
async function loadEntry(): Promise<typeof AsyncEntry> {
  try {
    return (await import('@napi-rs/keyring')).AsyncEntry
  } catch (cause) {
    const message = `no keychain can be used on this kind of computer: install the optional packages, ${ELSE}`
    throw new AmpereError('KEY_UNAVAILABLE', message, { cause })
  }
}

function readAccount(file: string): string | null {
  const text = translate(() => {
    try {
      return readFileSync(file, 'utf8').trim()
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return null
      throw error
    }
  })
  if (text === null || ACCOUNT.test(text)) return text
  throw new AmpereError('STORE_CORRUPT', 'the file keychain-id of the data folder is damaged')
}

/** Durable before the passphrase is kept under it: a name in the keychain alone could not be found again. */
function makeAccount(folder: string, file: string): string {
  const account = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
  return translate(() => {
    makeFolder(resolve(folder))
    return createFile(file, `${account}\n`) ? account : readFileSync(file, 'utf8').trim()
  })
}
