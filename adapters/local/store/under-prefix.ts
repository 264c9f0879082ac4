// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'
import type { ObjectsName, TableName } from '#core/ports/needs.ts'
import { openDatabase, type Database } from './database.ts'
import { lockFolder } from './lock.ts'
import { openObjectFiles } from './object-files.ts'

/** Rows and objects that are removed in one transaction. */
const AT_ONCE = 500
/** Sorts after every partition and name. */
const LAST = '\u{10ffff}\u{10ffff}'

/** All that a folder's tables and objects have in partitions and under names with one prefix. */
export interface UnderPrefix {
  /** Values of a table's rows, in pages; of the partitions that begin with the prefix and `within`. */
  readonly values: (table: TableName, within: string) => AsyncIterable<readonly [string, Uint8Array]>
  /**
   * Removes all of it but rows with the key `kept`, and leaves no trace in the files. `large` are names of objects that may be
   * files of their own, which no list has. May be repeated after it failed.
   */
  readonly removeAll: (
    tables: readonly TableName[],
    store: ObjectsName,
    large: Iterable<string>,
    kept: string,
  ) => Promise<{ readonly rows: number; readonly objects: number }>
  readonly close: () => Promise<void>
}

/** Takes the folder for this process. @throws AmpereError STORE_LOCKED, STORE_UNAVAILABLE, STORE_CORRUPT */
export function openUnderPrefix(path: string, prefix: string): UnderPrefix {
  const folder = resolve(path)
  const unlock = lockFolder(folder)
  try {
    const database = openDatabase(join(folder, 'ampere.db'))
    const files = openObjectFiles(join(folder, 'objects'))
    return {
      values: (table, within) => valuesOf(database, table, prefix + within),
      removeAll: async (tables, store, large, kept) => {
        for (const name of large) await files.remove(store, prefix + name)
        const objects = await removeObjects(database, store, prefix)
        let rows = 0
        for (const table of tables) rows += await removeRows(database, table, { prefix, kept })
        await database.writeAndScrub(() => undefined)
        return { rows, objects }
      },
      close: async () => {
        try {
          await database.close()
        } finally {
          unlock()
        }
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

async function* valuesOf(
  database: Database,
  table: TableName,
  prefix: string,
): AsyncIterable<readonly [string, Uint8Array]> {
  let after: readonly [string, string] = [prefix, '']
  for (;;) {
    const [part, key] = after
    const rows = await database.read((sql) =>
      sql(
        'SELECT part, key, value FROM rows WHERE tbl = ? AND (part, key) > (?, ?) AND part < ? ORDER BY part, key LIMIT ?',
      ).all(table, part, key, prefix + LAST, AT_ONCE),
    )
    for (const row of rows)
      if (row['value'] instanceof Uint8Array) yield [String(row['part']), row['value']] as const
    const last = rows.at(-1)
    if (!last) return
    after = [String(last['part']), String(last['key'])]
  }
}

async function removeRows(
  database: Database,
  table: TableName,
  { prefix, kept }: { readonly prefix: string; readonly kept: string },
): Promise<number> {
  let removed = 0
  for (;;) {
    const done = await database.write((sql) => {
      const rows = sql(
        'SELECT part, key FROM rows WHERE tbl = ? AND part >= ? AND part < ? AND key <> ? LIMIT ?',
      ).all(table, prefix, prefix + LAST, kept, AT_ONCE)
      for (const row of rows)
        sql('DELETE FROM rows WHERE tbl = ? AND part = ? AND key = ?').run(
          table,
          String(row['part']),
          String(row['key']),
        )
      return rows.length
    })
    if (done === 0) return removed
    removed += done
  }
}

async function removeObjects(database: Database, store: ObjectsName, prefix: string): Promise<number> {
  let removed = 0
  for (;;) {
    const done = await database.write((sql) => {
      const rows = sql('SELECT name FROM objects WHERE store = ? AND name >= ? AND name < ? LIMIT ?').all(
        store,
        prefix,
        prefix + LAST,
        AT_ONCE,
      )
      for (const row of rows)
        sql('DELETE FROM objects WHERE store = ? AND name = ?').run(store, String(row['name']))
      return rows.length
    })
    if (done === 0) return removed
    removed += done
  }
}
