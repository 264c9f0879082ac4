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
  unlockKeyFile,
  withKeys,
  type KeyFile,
  type Master,
  type Passphrase,
} from './key-file.ts'

/** How long a process waits for another one that adds a key to the same file. */
const WAIT_MS = 10_000

/** Keys in one file, each sealed under the passphrase. They leave it only into this process's memory. */
export interface Keyring {
  /** The signer of a named key, made on first use. */
  signer(name: string, alg: SignatureAlgorithm): Promise<Signer>
  /** A named 32-byte seed, made on first use. */
  seed(name: string): Uint8Array
  /** Keeps a 32-byte seed that came from elsewhere; the same again is there already. @throws AmpereError ALREADY_EXISTS for another one */
  keep(name: string, seed: Uint8Array): void
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
    keep: (name, seed) => {
      if (!Buffer.from(keyOf(name, 'seed', () => seed)).equals(seed))
        throw new AmpereError('ALREADY_EXISTS', 'another seed has this name')
    },
    wrappingKey: (name) => keyOf(name, 'unwrap', () => random(32)),
    names: () => Object.keys(current.keys),
  }
}

/**
 * Makes named signing keys anew in every copy of a key file that is given, one after the other, each in one write: what
 * they were is gone from it. Whoever has a file open goes on with the old keys, so nobody may sign with them meanwhile.
 * @throws AmpereError KEY_UNAVAILABLE where a file is not there, and as `openKeyring`
 */
export function renewKeys(
  files: readonly string[],
  passphrase: Passphrase,
  keys: readonly { readonly name: string; readonly alg: SignatureAlgorithm }[],
  random: Random,
): void {
  const made = keys.map(({ name, alg }) => ({ name, alg, seed: generateSoftwareKey(alg, random).seed }))
  for (const file of files)
    alone(file, () => {
      const content = readKeyFile(file)
      if (!content) throw new AmpereError('KEY_UNAVAILABLE', 'the key file is not there')
      const master = unlockKeyFile(content, passphrase)
      const sealed = made.map(({ name, alg, seed }) => [
        name,
        { use: alg, sealed: sealKey(master, seed, name, alg) },
      ])
      writeKeyFile(file, withKeys(master, content, { ...content.keys, ...Object.fromEntries(sealed) }))
    })
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
