// SPDX-License-Identifier: Apache-2.0
import {
  createCipheriv,
  createDecipheriv,
  randomBytes,
  scrypt,
  scryptSync,
  type ScryptOptions,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { AmpereError } from '#core/errors.ts'
import { isSystemError, translate } from '../errors.ts'

/** scrypt costs (RFC 7914): 32 MiB and about 100 ms, once per opening. Kept in the file, bounded when read. */
const SCRYPT: ScryptCost = { N: 2 ** 15, r: 8, p: 1 }
const MAX_MEMORY = 256 * 1024 * 1024
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What one attempt at a passphrase costs: 128 N r bytes of memory, and p times the work for them. */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** The key file, as JSON. */
export interface KeyFile extends ScryptCost {
  /** 1 had no `whole`: it is read, and written as 2 when a key is added. */
  readonly v: 1 | 2
  readonly salt: string
  /** Seals the empty string: tells a wrong passphrase from a damaged file. */
  readonly check: string
  readonly keys: KeyRecords
  /** Seals the empty string with all of `keys`: a record that lost its name would be made anew, as another key. */
  readonly whole?: string
}

type KeyRecords = Readonly<Record<string, { readonly use: string; readonly sealed: string }>>

/** The key that a passphrase gives with a file's salt and costs. */
export type Master = Buffer

/** A passphrase for which scrypt ran ahead, for some key files: see `stretchAhead`. */
export interface StretchedPassphrase {
  readonly text: string
  /** Master keys by the salt of their file. */
  readonly masters: ReadonlyMap<string, Master>
}

export type Passphrase = string | StretchedPassphrase

/** A key file without keys, and its master key. */
export function newKeyFile(
  passphrase: Passphrase,
  cost: ScryptCost = SCRYPT,
): { readonly content: KeyFile; readonly master: Master } {
  const salted = { ...cost, salt: randomBytes(16).toString('base64url') }
  const master = masterOf(passphrase, salted)
  const check = seal(master, new Uint8Array(0), 'check')
  return { content: withKeys(master, { v: 2, ...salted, check, keys: {} }, {}), master }
}

/** The file with other keys. */
export function withKeys(master: Master, content: KeyFile, keys: KeyRecords): KeyFile {
  return { ...content, v: 2, keys, whole: seal(master, new Uint8Array(0), wholeOf(keys)) }
}

/**
 * The master key of a file. Every attempt costs one scrypt; a wrong passphrase and a changed `check` look alike.
 * @throws AmpereError PASSPHRASE_WRONG, STORE_CORRUPT
 */
export function unlockKeyFile(content: KeyFile, passphrase: Passphrase): Master {
  const master = masterOf(passphrase, content)
  if (!open(master, content.check, 'check')) {
    throw new AmpereError('PASSPHRASE_WRONG', 'the passphrase does not open the key file')
  }
  checkWhole(master, content)
  return master
}

/** @throws AmpereError STORE_CORRUPT when records are not those that were written together */
export function checkWhole(master: Master, { v, keys, whole }: KeyFile): void {
  if (v === 1 || (whole !== undefined && open(master, whole, wholeOf(keys)))) return
  throw damaged()
}

/** The master key that a passphrase gives for a file, computed outside the main thread and not checked. */
export function stretch(passphrase: string, content: KeyFile): Promise<Master> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, master: Master) => (error ? reject(error) : resolve(master))
    scrypt(...scryptArguments(passphrase, content), done)
  })
}

/** Reads a key file; null when there is none. @throws AmpereError STORE_CORRUPT, STORE_UNAVAILABLE */
export function readKeyFile(file: string): KeyFile | null {
  const text = readText(file)
  if (text === null) return null
  try {
    const parsed: unknown = JSON.parse(text)
    if (isKeyFile(parsed)) return parsed
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged()
}

/** The key of a record, bound to its name and its use. @throws AmpereError STORE_CORRUPT */
export function openKey(master: Master, sealed: string, name: string, use: string): Uint8Array {
  const key = open(master, sealed, `${name}/${use}`)
  if (!key) throw damaged()
  return key
}

/** What `openKey` opens. */
export function sealKey(master: Master, key: Uint8Array, name: string, use: string): string {
  return seal(master, key, `${name}/${use}`)
}

/** In the order of the names, whatever their order in the file. */
function wholeOf(keys: KeyRecords): string {
  const records = Object.entries(keys).map(([name, { use, sealed }]) => [name, use, sealed])
  return `whole/${JSON.stringify(records.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)))}`
}

type SaltedCost = ScryptCost & { readonly salt: string }

function masterOf(passphrase: Passphrase, cost: SaltedCost): Master {
  if (typeof passphrase === 'string') return scryptSync(...scryptArguments(passphrase, cost))
  return passphrase.masters.get(cost.salt) ?? masterOf(passphrase.text, cost)
}

function scryptArguments(
  passphrase: string,
  { salt, N, r, p }: SaltedCost,
): [string, Buffer, number, ScryptOptions] {
  // One spelling for keyboards that compose accents differently.
  return [passphrase.normalize('NFC'), Buffer.from(salt, 'base64url'), 32, { N, r, p, maxmem: MAX_MEMORY }]
}

function seal(master: Master, plain: Uint8Array, context: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', master, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  )
}

/** null when it does not open. The tag is compared inside OpenSSL, in constant time. */
function open(master: Master, sealed: string, context: string): Uint8Array | null {
  const bytes = Buffer.from(sealed, 'base64url')
  // A shorter one would have a shorter tag, which is easier to guess.
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', master, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  const plain = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES))
  try {
    decipher.final()
  } catch {
    return null
  }
  return new Uint8Array(plain)
}

function readText(file: string): string | null {
  return translate(() => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return null
      throw error
    }
  })
}

function isKeyFile(value: unknown): value is KeyFile {
  const { v, salt, N, r, p, check, keys, whole } = (value ?? {}) as Partial<Record<keyof KeyFile, unknown>>
  return (
    (v === 1 || v === 2) &&
    typeof salt === 'string' &&
    typeof check === 'string' &&
    (whole === undefined || typeof whole === 'string') &&
    typeof keys === 'object' &&
    keys !== null &&
    Object.values(keys).every(isKeyRecord) &&
    isCost(N, r, p)
  )
}

function isKeyRecord(value: unknown): boolean {
  const { use, sealed } = (value ?? {}) as { use?: unknown; sealed?: unknown }
  return typeof use === 'string' && typeof sealed === 'string'
}

/** RFC 7914: N is a power of two above 1. A file must not make opening it take all memory or all day. */
function isCost(...cost: readonly unknown[]): boolean {
  if (!cost.every((number) => Number.isSafeInteger(number) && Number(number) > 0)) return false
  const [N = 0, r = 0, p = 0] = cost as readonly number[]
  return N > 1 && Number.isInteger(Math.log2(N)) && 128 * N * r <= MAX_MEMORY / 2 && p <= 4
}

function damaged(cause?: unknown): AmpereError {
  return new AmpereError('STORE_CORRUPT', 'the key file is damaged', { cause })
}
