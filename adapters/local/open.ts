// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Fetch, Now, Random, SignatureAlgorithm } from '#core/ports/keys.ts'
import type { KeyName, Platform } from '#core/ports/needs.ts'
import { AmpereError } from '#core/errors.ts'
import { openDatabase } from './database.ts'
import { translate } from './errors.ts'
import { openKeyring, type StretchedPassphrase } from './keyring.ts'
import { lockFolder } from './lock.ts'
import { localObjects } from './objects.ts'
import { sqliteTable } from './table.ts'

/** Where a local deployment keeps its data, and what opens its key file. */
export interface LocalOptions {
  readonly folder: string
  /** Null opens without a key file: what only uses tables and objects needs none. */
  readonly passphrase: string | StretchedPassphrase | null
  /** Open without taking the folder, beside the process that holds it; SQLite keeps the two apart. */
  readonly beside?: boolean
  /** Quota for the database in bytes; writes beyond it fail with STORE_FULL. */
  readonly maxBytes?: number
  readonly now?: Now
  readonly random?: Random
  readonly fetch?: Fetch
}

/** Instances sign as a KMS would (P-256); what the log's tools must read is Ed25519. */
const KEY_ALGORITHMS: Readonly<Record<Exclude<KeyName, 'sealing'>, SignatureAlgorithm>> = {
  head: 'Ed25519',
  instance: 'ES256',
  institution: 'ES256',
  controller: 'ES256',
}

/**
 * Opens a platform on one machine: SQLite, files, an encrypted key file. One process per folder.
 * @throws AmpereError STORE_LOCKED, STORE_VERSION, STORE_CORRUPT, PASSPHRASE_WRONG
 */
export function openLocal(options: LocalOptions): Platform {
  const { folder } = options
  translate(() => mkdirSync(folder, { recursive: true, mode: 0o700 }))
  const unlock = options.beside === true ? () => {} : lockFolder(folder)
  try {
    const random: Random = options.random ?? ((length) => crypto.getRandomValues(new Uint8Array(length)))
    const { passphrase } = options
    const opened = passphrase === null ? null : openKeyring(join(folder, 'keys.json'), passphrase, random)
    const keyring = () => {
      if (opened) return opened
      throw new AmpereError('KEY_UNAVAILABLE', 'the data folder was opened without its key file')
    }
    const database = openDatabase(join(folder, 'ampere.db'), options.maxBytes)
    return {
      table: (name) => sqliteTable(database, name),
      objects: (name) => localObjects(database, name, join(folder, 'objects')),
      signer: async (name) => keyring().signer(name, name === 'sealing' ? 'ES256' : KEY_ALGORITHMS[name]),
      unwrapper: async (name) => ({ unwrap: async () => keyring().seed(name) }),
      now: options.now ?? (() => Date.now()),
      random,
      fetch: options.fetch ?? ((request) => fetch(request)),
      close: async () => {
        await database.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}
