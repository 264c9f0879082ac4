// SPDX-License-Identifier: Apache-2.0
import type { ObjectsName } from '#core/ports/needs.ts'
import { checkObjectName, type ShredObjects } from '#core/ports/objects.ts'
import type { Database } from './store/database.ts'
import type { ObjectFiles } from './store/object-files.ts'
import type { Statements } from './store/statements.ts'

/** Objects up to this size lie in the database, where many share one fsync; larger ones are files. */
export const SMALL_OBJECT_BYTES = 256 * 1024

/**
 * Stores whose removed objects may leave traces in the file for a while: of the log's staging bundles everybody may read
 * the log's parts for ever, and the rest stays in a table that is never erased. Scrubbing costs a checkpoint of the
 * write-ahead log.
 */
const UNSCRUBBED: ReadonlySet<ObjectsName> = new Set(['staging'])

/** Objects in SQLite and in files. */
export function localObjects(database: Database, files: ObjectFiles, store: ObjectsName): ShredObjects {
  const remove = UNSCRUBBED.has(store) ? database.write : database.writeAndScrub
  return {
    fetch: async (name, range) => {
      checkObjectName(name)
      const small = await database.read((sql) => readSmall(sql, store, name))
      if (small) return range ? small.slice(range.start, range.end) : small
      return files.read(store, name, range)
    },
    store: async (name, bytes) => {
      checkObjectName(name)
      const copy = new Uint8Array(bytes)
      // Whether a name is taken, in the database or as a file, is decided under the database's write lock.
      if (copy.length > SMALL_OBJECT_BYTES) {
        return files.write(store, name, copy, (giveName) =>
          database.write((sql) => (readSmall(sql, store, name) ? 'exists' : giveName())),
        )
      }
      return database.write((sql) => {
        if (files.has(store, name)) return 'exists'
        const done = sql('INSERT OR IGNORE INTO objects (store, name, bytes) VALUES (?, ?, ?)').run(
          store,
          name,
          copy,
        )
        return Number(done.changes) === 1 ? 'stored' : 'exists'
      })
    },
    shred: async (name) => {
      checkObjectName(name)
      // First the file: on a full disk that makes the room without which the database cannot scrub.
      await files.remove(store, name)
      await remove((sql) => {
        sql('DELETE FROM objects WHERE store = ? AND name = ?').run(store, name)
      })
    },
  }
}

function readSmall(sql: Statements, store: string, name: string): Uint8Array | null {
  const bytes = sql('SELECT bytes FROM objects WHERE store = ? AND name = ?').get(store, name)?.['bytes']
  return bytes instanceof Uint8Array ? bytes : null
}
