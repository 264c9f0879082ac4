// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs'
import { generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import type { Random, SignatureAlgorithm, Signer } from '#core/ports/keys.ts'
import { translate } from '../errors.ts'
import { preparedFile, replaceFile } from '../store/durable-file.ts'
import { lockFile } from '../store/lock.ts'
import {
  checkWhole,
  newKeyFile,
  openKey,
  readKeyFile,
  sealKey,
  stretch,
  unlockKeyFile,
  withKeys,
  type KeyFile,
  type Master,
  type Passphrase,
  type StretchedPassphrase,
} from './key-file.ts'

export type { StretchedPassphrase } from './key-file.ts'

/** How long a process waits for another one that adds a key to the same file. */
const WAIT_MS = 10_000

/** Keys in one file, each sealed under the passphrase. They leave it only into this process's memory. */
export interface Keyring {
  /** The signer of a named key, made on first use. */
  signer(name: string, alg: SignatureAlgorithm): Promise<Signer>
  /** A named 32-byte seed, made on first use. */
  seed(name: string): Uint8Array
  /** A named 32-byte key that wraps others, made on first use. */
  wrappingKey(name: string): Uint8Array
  names(): readonly string[]
}

/**
 * Opens or makes a key file (mode 0600). Several processes may hold it open: what one adds, the others find.
 * A key is durable before it is first used.
 * @throws AmpereError PASSPHRASE_WRONG, STORE_CORRUPT, STORE_UNAVAILABLE, STORE_FULL, STORE_LOCKED
 */
export function openKeyring(file: string, passphrase: Passphrase, random: Random): Keyring {
  const opened = openOrMake(file, passphrase)
  const { master } = opened
  let current = opened.content
  const keyOf = (name: string, use: string, make: () => Uint8Array): Uint8Array => {
    if (!current.keys[name]) current = addKey(file, current, { name, use, master, make })
    const kept = current.keys[name]
    if (kept?.use !== use) throw new AmpereError('KEY_UNAVAILABLE', 'a key has one use, and this is another')
    return openKey(master, kept.sealed, name, use)
  }
  return {
    signer: async (name, alg) =>
      softwareSigner(
        alg,
        keyOf(name, alg, () => generateSoftwareKey(alg, random).seed),
      ),
    seed: (name) => keyOf(name, 'seed', () => random(32)),
    wrappingKey: (name) => keyOf(name, 'unwrap', () => random(32)),
    names: () => Object.keys(current.keys),
  }
}

/**
 * Runs scrypt for several key files at once, outside the main thread. Files that are not there are left out;
 * opening one of the others costs no scrypt any more, and tells whether the passphrase was right.
 * @throws AmpereError STORE_CORRUPT, STORE_UNAVAILABLE
 */
export async function stretchAhead(
  passphrase: string,
  files: readonly string[],
): Promise<StretchedPassphrase> {
  const contents = files.map(readKeyFile).filter((content) => content !== null)
  const masters = contents.map(async (content) => [content.salt, await stretch(passphrase, content)] as const)
  return { text: passphrase, masters: new Map(await Promise.all(masters)) }
}

interface Opened {
  readonly content: KeyFile
  readonly master: Master
}

function openOrMake(file: string, passphrase: Passphrase): Opened {
  const there = existsSync(preparedFile(file)) ? null : readKeyFile(file)
  if (there) return { content: there, master: unlockKeyFile(there, passphrase) }
  return alone(file, () => {
    // From a process that was killed before it had renamed it: nobody has used what is in it.
    translate(() => rmSync(preparedFile(file), { force: true }))
    const made = readKeyFile(file)
    if (made) return { content: made, master: unlockKeyFile(made, passphrase) }
    const created = newKeyFile(passphrase)
    writeKeyFile(file, created.content)
    return created
  })
}

interface NewKey {
  readonly name: string
  readonly use: string
  readonly master: Master
  readonly make: () => Uint8Array
}

/** Adds a key to what the file holds now, which may be more than this process has read. */
function addKey(file: string, known: KeyFile, { name, use, master, make }: NewKey): KeyFile {
  return alone(file, () => {
    const content = readKeyFile(file)
    if (content?.salt !== known.salt)
      throw new AmpereError('STORE_CORRUPT', 'the key file was replaced while it was open')
    checkWhole(master, content)
    if (content.keys[name]) return content
    const record = { use, sealed: sealKey(master, make(), name, use) }
    const next = withKeys(master, content, { ...content.keys, [name]: record })
    writeKeyFile(file, next)
    return next
  })
}

/** One process at a time, for as long as it takes to read the file and replace it. */
function alone<T>(file: string, act: () => T): T {
  const unlock = lockFile(`${file}.lock`, WAIT_MS)
  try {
    return act()
  } finally {
    unlock()
  }
}

function writeKeyFile(file: string, content: KeyFile): void {
  translate(() => replaceFile(file, JSON.stringify(content, null, 2)))
}
