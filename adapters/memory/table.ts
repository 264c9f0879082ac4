// SPDX-License-Identifier: Apache-2.0
import type { Range, Row, WriteTable } from '#core/ports/table.ts'

const encoder = new TextEncoder()

/** A table in memory, for tests and for trying things: everything is gone with the process. */
export function memoryTable(): WriteTable {
  const partitions = new Map<string, Map<string, Row>>()
  let versions = 0
  const rowsOf = (partition: string): Map<string, Row> => {
    const rows = partitions.get(partition) ?? new Map<string, Row>()
    partitions.set(partition, rows)
    return rows
  }
  const put = (partition: string, key: string, value: Uint8Array): string => {
    const version = String(++versions)
    rowsOf(partition).set(key, { key, value: new Uint8Array(value), version })
    return version
  }
  return {
    get: async (partition, key) => copy(partitions.get(partition)?.get(key)),
    range: async (partition, range = {}) => select([...(partitions.get(partition)?.values() ?? [])], range),
    insert: async (partition, key, value) => {
      if (rowsOf(partition).has(key)) return 'exists'
      put(partition, key, value)
      return 'inserted'
    },
    swap: async (partition, key, expected, next) => {
      const row = rowsOf(partition).get(key)
      if ((row?.version ?? null) !== expected) return null
      if (next) return put(partition, key, next)
      rowsOf(partition).delete(key)
      return String(++versions)
    },
  }
}

function select(rows: Row[], range: Range): Row[] {
  const { from, to } = range
  const kept = rows
    .filter(
      (row) =>
        (from === undefined || compare(row.key, from) >= 0) && (to === undefined || compare(row.key, to) < 0),
    )
    .toSorted((a, b) => compare(a.key, b.key))
  if (range.reverse === true) kept.reverse()
  return kept.slice(0, range.limit ?? 1000).flatMap((row) => copy(row) ?? [])
}

/** Order of UTF-8 bytes, which is not that of UTF-16 code units. */
function compare(a: string, b: string): number {
  const left = encoder.encode(a)
  const right = encoder.encode(b)
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function copy(row: Row | undefined): Row | null {
  return row ? { ...row, value: new Uint8Array(row.value) } : null
}
