// SPDX-License-Identifier: Apache-2.0
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** A statement of one database by its SQL. */
export type Statements = (sql: string) => StatementSync

/** Compiles each statement once: that costs more than running it. The SQL comes from our own few constants. */
export function compiledOnce(db: DatabaseSync): Statements {
  const compiled = new Map<string, StatementSync>()
  return (sql) => {
    const kept = compiled.get(sql)
    if (kept) return kept
    const made = db.prepare(sql)
    compiled.set(sql, made)
    return made
  }
}
