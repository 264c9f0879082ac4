// SPDX-License-Identifier: Apache-2.0
import type { DatabaseSync } from 'node:sqlite'
import type { TableName } from '#core/ports/needs.ts'
import type { Range, Row, WriteTable } from '#core/ports/table.ts'
import type { Database } from './database.ts'

/**
 * Tables whose overwritten rows must leave no trace in any file: wrapped keys are erased by overwriting them.
 * Scrubbing costs a checkpoint of the write-ahead log, so the others do without.
 */
const SCRUBBED: ReadonlySet<TableName> = new Set(['wraps', 'packages', 'labels'])
const MAX_LIMIT = 1000
/** Sorts after every key: keys are text without NUL. */
const LAST = '\u{10ffff}\u{10ffff}'

/** A table in SQLite; keys compare as UTF-8 bytes (BINARY collation). */
export function sqliteTable(database: Database, name: TableName): WriteTable {
  const change = SCRUBBED.has(name) ? database.writeAndScrub : database.write
  return {
    get: (partition, key) => database.read((db) => readRow(db, name, partition, key)),
    range: (partition, range) => database.read((db) => readRange(db, name, partition, range ?? {})),
    insert: (partition, key, value) =>
      database.write((db) => (insertRow(db, name, partition, key, value) ? 'inserted' : 'exists')),
    swap: (partition, key, expected, next) =>
      change((db) => swapRow(db, name, partition, key, expected, next)),
  }
}

function readRow(db: DatabaseSync, table: string, partition: string, key: string): Row | null {
  const row = db
    .prepare('SELECT key, version, value FROM rows WHERE tbl = ? AND part = ? AND key = ?')
    .get(table, partition, key)
  return row ? rowOf(row) : null
}

function readRange(db: DatabaseSync, table: string, partition: string, range: Range): Row[] {
  const order = range.reverse === true ? 'DESC' : 'ASC'
  const rows = db
    .prepare(
      `SELECT key, version, value FROM rows WHERE tbl = ? AND part = ? AND key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`,
    )
    .all(table, partition, range.from ?? '', range.to ?? LAST, Math.min(range.limit ?? MAX_LIMIT, MAX_LIMIT))
  return rows.map(rowOf)
}

function insertRow(
  db: DatabaseSync,
  table: string,
  partition: string,
  key: string,
  value: Uint8Array,
): boolean {
  const version = nextVersion(db)
  const done = db
    .prepare('INSERT OR IGNORE INTO rows (tbl, part, key, version, value) VALUES (?, ?, ?, ?, ?)')
    .run(table, partition, key, version, value)
  return Number(done.changes) === 1
}

function swapRow(
  db: DatabaseSync,
  table: string,
  partition: string,
  key: string,
  expected: string | null,
  next: Uint8Array | null,
): string | null {
  const current = readRow(db, table, partition, key)
  if ((current?.version ?? null) !== expected) return null
  const version = nextVersion(db)
  if (next) {
    db.prepare('INSERT OR REPLACE INTO rows (tbl, part, key, version, value) VALUES (?, ?, ?, ?, ?)').run(
      table,
      partition,
      key,
      version,
      next,
    )
  } else {
    db.prepare('DELETE FROM rows WHERE tbl = ? AND part = ? AND key = ?').run(table, partition, key)
  }
  return String(version)
}

/** Versions are never used again, not even after a row was removed and made anew. */
function nextVersion(db: DatabaseSync): number {
  return Number(
    db.prepare('UPDATE versions SET next = next + 1 WHERE one = 1 RETURNING next').get()?.['next'],
  )
}

function rowOf(row: Record<string, unknown>): Row {
  return {
    key: String(row['key']),
    version: String(row['version']),
    value: new Uint8Array(row['value'] as Uint8Array),
  }
}
