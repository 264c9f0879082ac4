// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Fetch, Now, Random } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { readOnly } from '#core/ports/read-only.ts'
import { translate } from './errors.ts'
import { AmpereError } from '#core/errors.ts'
import type { Passphrase } from './keys/key-file.ts'
import { openKeyring, type Keyring } from './keys/keyring.ts'
import { localObjects } from './objects.ts'
import { localSigner } from './signer.ts'
import { openDatabase } from './store/database.ts'
import { makeFolder } from './store/durable-file.ts'
import { lockFolder } from './store/lock.ts'
import { openObjectFiles, removeUnfinished } from './store/object-files.ts'
import { localTable } from './table.ts'
import { localUnwrapper } from './unwrapper.ts'
import { localUploads } from './uploads.ts'

/** Where a local deployment keeps its data, and what opens its key file. */
export interface LocalOptions {
  readonly folder: string
  /** Null opens without a key file: what only uses tables and objects needs none. */
  readonly passphrase: Passphrase | null
  /** Open without taking the folder, beside the process that holds it; SQLite keeps the two apart. */
  readonly beside?: boolean
  /** Open what is there to be looked at: nothing is made, mended or written, and every write is refused. */
  readonly readOnly?: boolean
  /** Quota for the database in bytes; writes beyond it fail with STORE_FULL. */
  readonly maxBytes?: number
  readonly now?: Now
  readonly random?: Random
  readonly fetch?: Fetch
}

/**
 * Opens a platform on one machine: SQLite, files, an encrypted key file. One process per folder.
 * @throws AmpereError STORE_LOCKED, STORE_VERSION, STORE_CORRUPT, STORE_UNAVAILABLE, STORE_FULL, PASSPHRASE_WRONG;
 *   NOT_FOUND with `readOnly` where there is no data file
 */
export function openLocal(options: LocalOptions): Platform {
  // Absolute: a later change of the working directory must not split the data.
  const folder = resolve(options.folder)
  if (options.readOnly !== true) translate(() => makeFolder(folder))
  else if (!existsSync(join(folder, 'ampere.db')))
    throw new AmpereError('NOT_FOUND', 'the data folder has no data file, ampere.db')
  const unlock = options.beside === true ? () => {} : lockFolder(folder)
  try {
    const platform = openTaken(folder, options, unlock)
    return options.readOnly === true ? readOnly(platform) : platform
  } catch (error) {
    unlock()
    throw error
  }
}

function openTaken(folder: string, options: LocalOptions, unlock: () => void): Platform {
  const random: Random = options.random ?? ((length) => crypto.getRandomValues(new Uint8Array(length)))
  const keyring = openKeys(folder, options.passphrase, random)
  const { maxBytes, beside: isBeside = false, readOnly: isReadOnly = false } = options
  const files = openObjectFiles(join(folder, 'objects'), isReadOnly)
  if (!isBeside && !isReadOnly) removeUnfinished(join(folder, 'objects'))
  const database = openDatabase(join(folder, 'ampere.db'), { maxBytes, isBeside, isReadOnly })
  return {
    table: (name) => localTable(database, name),
    objects: (name) => localObjects(database, files, name),
    signer: async (name) => localSigner(keyring(), name),
    unwrapper: async (name) => localUnwrapper(keyring(), name),
    uploads: localUploads((length) => crypto.getRandomValues(new Uint8Array(length))),
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

/** Opened now, so that a wrong passphrase is known before anything is done. */
function openKeys(folder: string, passphrase: Passphrase | null, random: Random): () => Keyring {
  const opened = passphrase === null ? null : openKeyring(join(folder, 'keys.json'), passphrase, random)
  return () => {
    if (opened) return opened
    throw new AmpereError('KEY_UNAVAILABLE', 'the data folder was opened without its key file')
  }
}
