// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import type { Fetch, Now, Random } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { translate } from './errors.ts'
import { openKeyring, type Keyring, type StretchedPassphrase } from './keys/keyring.ts'
import { localObjects } from './objects.ts'
import { localSigner } from './signer.ts'
import { openDatabase } from './store/database.ts'
import { makeFolder } from './store/durable-file.ts'
import { lockFolder } from './store/lock.ts'
import { openObjectFiles, removeUnfinished } from './store/object-files.ts'
import { localTable } from './table.ts'
import { localUnwrapper } from './unwrapper.ts'

/** Where a local deployment keeps its data, and what opens its key file. */
export interface LocalOptions {
  readonly folder: string
  /** Null opens without the key file, for what uses tables and objects only: keys are then KEY_UNAVAILABLE. */
  readonly passphrase: string | StretchedPassphrase | null
  /** Open without taking the folder, beside the process that holds it; SQLite keeps the two apart. */
  readonly beside?: boolean
  /** Quota for the database in bytes; writes beyond it fail with STORE_FULL. */
  readonly maxBytes?: number
  readonly now?: Now
  readonly random?: Random
  readonly fetch?: Fetch
}

/**
 * Opens a platform on one machine: SQLite, files, an encrypted key file. One process per folder.
 * @throws AmpereError STORE_LOCKED, STORE_VERSION, STORE_CORRUPT, STORE_UNAVAILABLE, STORE_FULL, PASSPHRASE_WRONG
 */
export function openLocal(options: LocalOptions): Platform {
  // Absolute: a later change of the working directory must not split the data.
  const folder = resolve(options.folder)
  translate(() => makeFolder(folder))
  const unlock = options.beside === true ? () => {} : lockFolder(folder)
  try {
    return openTaken(folder, options, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function openTaken(folder: string, options: LocalOptions, unlock: () => void): Platform {
  const random: Random = options.random ?? ((length) => crypto.getRandomValues(new Uint8Array(length)))
  const keyring = keyringOf(join(folder, 'keys.json'), options.passphrase, random)
  const files = openObjectFiles(join(folder, 'objects'))
  const isBeside = options.beside === true
  if (!isBeside) removeUnfinished(join(folder, 'objects'))
  const database = openDatabase(join(folder, 'ampere.db'), { maxBytes: options.maxBytes, isBeside })
  return {
    table: (name) => localTable(database, name),
    objects: (name) => localObjects(database, files, name),
    signer: async (name) => localSigner(keyring(), name),
    unwrapper: async (name) => localUnwrapper(keyring(), name),
    now: options.now ?? (() => Date.now()),
    random,
    fetch: options.fetch ?? ((request) => fetch(request)),
    close: async () => {
      try {
        await database.close()
      } finally {
        unlock()
      }
    },
  }
}

function keyringOf(file: string, passphrase: LocalOptions['passphrase'], random: Random): () => Keyring {
  const keyring = passphrase === null ? null : openKeyring(file, passphrase, random)
  return () => {
    if (keyring) return keyring
    throw new AmpereError('KEY_UNAVAILABLE', 'the data folder was opened without its key file')
  }
}
