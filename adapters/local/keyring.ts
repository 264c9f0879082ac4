// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, randomBytes, scrypt, scryptSync } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import type { Random, SignatureAlgorithm, Signer } from '#core/ports/keys.ts'
import { translate } from './errors.ts'

/** scrypt costs (RFC 7914): 32 MiB and about 100 ms, once per opening. Kept in the file, bounded when read. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1 } as const
/** For a passphrase of 128 random bits or more, which nobody guesses: 1 MiB and about 3 ms. */
const SCRYPT_RANDOM = { N: 2 ** 10, r: 8, p: 1 } as const
const MAX_MEMORY = 256 * 1024 * 1024

interface KeyFile {
  readonly v: 1
  readonly salt: string
  readonly N: number
  readonly r: number
  readonly p: number
  /** Seals the empty string: tells a wrong passphrase from a damaged key. */
  readonly check: string
  readonly keys: Record<string, { readonly use: string; readonly sealed: string }>
}

/** Keys in one file, each sealed under the passphrase. They leave it only into this process's memory. */
export interface Keyring {
  /** The signer of a named key, made on first use. */
  signer(name: string, alg: SignatureAlgorithm): Promise<Signer>
  /** A named 32-byte seed, made on first use. */
  seed(name: string): Uint8Array
  names(): readonly string[]
}

/** A passphrase for which scrypt ran ahead, for some key files: see {@link stretchAhead}. */
export interface StretchedPassphrase {
  readonly text: string
  /** Master keys by the salt of their file. */
  readonly masters: ReadonlyMap<string, Buffer>
  /** True for one that was drawn and not thought of: new key files need not make guessing slow. */
  readonly isRandom: boolean
}

/** Runs scrypt for several key files at once, outside the main thread. Files that are not there are left out. */
export async function stretchAhead(
  passphrase: string,
  files: readonly string[],
): Promise<StretchedPassphrase> {
  const contents = files.filter((file) => existsSync(file)).map(readKeyFile)
  const masters = contents.map(
    ({ salt, N, r, p }) =>
      new Promise<readonly [string, Buffer]>((resolve, reject) => {
        const done = (error: Error | null, key: Buffer) => (error ? reject(error) : resolve([salt, key]))
        const bytes = Buffer.from(salt, 'base64url')
        scrypt(passphrase.normalize('NFC'), bytes, 32, { N, r, p, maxmem: MAX_MEMORY }, done)
      }),
  )
  return { text: passphrase, masters: new Map(await Promise.all(masters)), isRandom: false }
}

/**
 * Opens or makes a key file (mode 0600).
 * @throws AmpereError PASSPHRASE_WRONG, STORE_CORRUPT
 */
export function openKeyring(file: string, passphrase: string | StretchedPassphrase, random: Random): Keyring {
  let content = existsSync(file) ? readKeyFile(file) : null
  const salt = content ? Buffer.from(content.salt, 'base64url') : randomBytes(16)
  const costs = typeof passphrase === 'string' || !passphrase.isRandom ? SCRYPT : SCRYPT_RANDOM
  const master = masterKey(passphrase, salt, content ?? costs)
  if (!content) {
    content = {
      v: 1,
      salt: salt.toString('base64url'),
      ...costs,
      check: sealed(master, Buffer.alloc(0), 'check'),
      keys: {},
    }
    writeKeyFile(file, content)
  }
  checkPassphrase(master, content.check)
  let current = content
  const seedOf = (name: string, use: string): Uint8Array => {
    const kept = current.keys[name]
    if (kept) {
      if (kept.use !== use) throw new AmpereError('KEY_UNAVAILABLE', 'a key has one use, and this is another')
      return opened(master, kept.sealed, `${name}/${use}`)
    }
    const seed = use === 'seed' ? random(32) : generateSoftwareKey(use as SignatureAlgorithm, random).seed
    const record = { use, sealed: sealed(master, Buffer.from(seed), `${name}/${use}`) }
    current = { ...current, keys: { ...current.keys, [name]: record } }
    writeKeyFile(file, current)
    return seed
  }
  return {
    signer: async (name, alg) => softwareSigner(alg, seedOf(name, alg)),
    seed: (name) => seedOf(name, 'seed'),
    names: () => Object.keys(current.keys),
  }
}

function masterKey(
  passphrase: string | StretchedPassphrase,
  salt: Buffer,
  { N, r, p }: Pick<KeyFile, 'N' | 'r' | 'p'>,
): Buffer {
  const ahead =
    typeof passphrase === 'string' ? undefined : passphrase.masters.get(salt.toString('base64url'))
  const text = typeof passphrase === 'string' ? passphrase : passphrase.text
  return ahead ?? scryptSync(text.normalize('NFC'), salt, 32, { N, r, p, maxmem: MAX_MEMORY })
}

function checkPassphrase(master: Buffer, check: string): void {
  try {
    opened(master, check, 'check')
  } catch (cause) {
    throw new AmpereError('PASSPHRASE_WRONG', 'the passphrase does not open the key file', { cause })
  }
}

function sealed(master: Buffer, plain: Buffer, context: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', master, nonce)
  cipher.setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  )
}

function opened(master: Buffer, text: string, context: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', master, bytes.subarray(0, 12))
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(bytes.subarray(bytes.length - 16))
    return new Uint8Array(
      Buffer.concat([decipher.update(bytes.subarray(12, bytes.length - 16)), decipher.final()]),
    )
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a key in the key file is damaged', { cause })
  }
}

function readKeyFile(file: string): KeyFile {
  let parsed: Partial<KeyFile> | null = null
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8')) as Partial<KeyFile>
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'the key file is damaged', { cause })
  }
  const { v, salt, N, r, p, check, keys } = parsed
  const bounded =
    Number.isInteger(N) &&
    Number.isInteger(r) &&
    Number.isInteger(p) &&
    128 * Number(N) * Number(r) <= MAX_MEMORY / 2
  if (
    v !== 1 ||
    typeof salt !== 'string' ||
    typeof check !== 'string' ||
    typeof keys !== 'object' ||
    !bounded ||
    Number(p) > 4
  ) {
    throw new AmpereError('STORE_CORRUPT', 'the key file is damaged')
  }
  return parsed as KeyFile
}

/** Written whole beside the old one, fsynced, then renamed: a crash leaves one or the other. */
function writeKeyFile(file: string, content: KeyFile): void {
  translate(() => {
    const temporary = `${file}.${process.pid}.tmp`
    const handle = openSync(temporary, 'w', 0o600)
    writeSync(handle, JSON.stringify(content, null, 2))
    fsyncSync(handle)
    closeSync(handle)
    renameSync(temporary, file)
  })
}
