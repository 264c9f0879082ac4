// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { TableName } from '#core/ports/needs.ts'
import type { Range, Row, WriteTable } from '#core/ports/table.ts'
import { DATA_FILE_DAMAGED } from './errors.ts'
import type { Database } from './store/database.ts'
import type { Statements } from './store/statements.ts'

/**
 * Tables whose overwritten rows must leave no trace in any file: wrapped keys are erased by overwriting them.
 * Scrubbing costs a checkpoint of the write-ahead log, so the others do without.
 */
const SCRUBBED: ReadonlySet<TableName> = new Set(['wraps', 'packages', 'labels', 'mirror-keys', 'enrolments'])
const MAX_LIMIT = 1000
/** Sorts after every key: keys are text without NUL. */
const LAST = '\u{10ffff}\u{10ffff}'

/** A table in SQLite; keys compare as UTF-8 bytes (BINARY collation). */
export function localTable(database: Database, name: TableName): WriteTable {
  const change = SCRUBBED.has(name) ? database.writeAndScrub : database.write
  return {
    get: (partition, key) => database.read((sql) => readRow(sql, [name, partition, key])),
    range: (partition, range) => database.read((sql) => readRange(sql, name, partition, range ?? {})),
    insert: (partition, key, value) => {
      const copy = new Uint8Array(value)
      return database.write((sql) => (insertRow(sql, [name, partition, key], copy) ? 'inserted' : 'exists'))
    },
    swap: (partition, key, expected, next) => {
      const copy = next && new Uint8Array(next)
      return change((sql) => swapRow(sql, [name, partition, key], expected, copy))
    },
  }
}

/** Table, partition and key of a row. */
type Place = readonly [string, string, string]

function readRow(sql: Statements, place: Place): Row | null {
  const row = sql('SELECT key, version, value FROM rows WHERE tbl = ? AND part = ? AND key = ?').get(...place)
  return row ? rowOf(row) : null
}

function readRange(sql: Statements, table: string, partition: string, range: Range): Row[] {
  const order = range.reverse === true ? 'DESC' : 'ASC'
  const limit = Math.min(range.limit ?? MAX_LIMIT, MAX_LIMIT)
  return sql(
    `SELECT key, version, value FROM rows WHERE tbl = ? AND part = ? AND key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`,
  )
    .all(table, partition, range.from ?? '', range.to ?? LAST, limit)
    .map(rowOf)
}

function insertRow(sql: Statements, place: Place, value: Uint8Array): boolean {
  const done = sql('INSERT OR IGNORE INTO rows (tbl, part, key, version, value) VALUES (?, ?, ?, ?, ?)').run(
    ...place,
    nextVersion(sql),
    value,
  )
  return Number(done.changes) === 1
}

function swapRow(
  sql: Statements,
  place: Place,
  expected: string | null,
  next: Uint8Array | null,
): string | null {
  const current = readRow(sql, place)
  if ((current?.version ?? null) !== expected) return null
  const version = nextVersion(sql)
  if (next) {
    sql('INSERT OR REPLACE INTO rows (tbl, part, key, version, value) VALUES (?, ?, ?, ?, ?)').run(
      ...place,
      version,
      next,
    )
  } else {
    sql('DELETE FROM rows WHERE tbl = ? AND part = ? AND key = ?').run(...place)
  }
  return String(version)
}

/** Versions are never used again, not even after a row was removed and made anew. */
function nextVersion(sql: Statements): number {
  const row = sql('UPDATE versions SET next = next + 1 WHERE one = 1 RETURNING next').get()
  const next = row?.['next']
  if (typeof next !== 'number') throw damaged()
  return next
}

function rowOf(row: Record<string, unknown>): Row {
  const { key, version, value } = row
  if (typeof key !== 'string' || typeof version !== 'number' || !(value instanceof Uint8Array))
    throw damaged()
  return { key, version: String(version), value }
}

/** Flipped bits can give a row other types than it was made with. */
function damaged(): AmpereError {
  return new AmpereError('STORE_CORRUPT', DATA_FILE_DAMAGED)
}
