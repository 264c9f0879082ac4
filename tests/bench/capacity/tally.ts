// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import type { Platform, TableName } from '#core/ports/needs.ts'
import type { Row, WriteTable } from '#core/ports/table.ts'
import { wrapPlatform } from '#adapters/around/calls.ts'

/** Calls of one name, and the bytes of all rows or objects that they wrote or read: partition, key and value. */
export interface Tallied {
  readonly calls: number
  readonly bytes: number
}
export type Tally = Readonly<Record<string, Tallied>>

/** A platform that counts its calls by name, as `countCalls` does, with the bytes that they move. */
export function tallyCalls(base: Platform): {
  readonly platform: Platform
  readonly tally: () => Tally
  readonly reset: () => void
} {
  const calls = new Map<string, number>()
  const bytes = new Map<string, number>()
  const add = (map: Map<string, number>, name: string, by: number) => map.set(name, (map.get(name) ?? 0) + by)
  const sized: Platform = {
    ...base,
    table: (name) => sizedTable(base.table(name), name, (call, size) => add(bytes, call, size)),
    objects: (name) => {
      const objects = base.objects(name)
      return {
        ...objects,
        fetch: async (object, range) => {
          const found = await objects.fetch(object, range)
          add(bytes, `objects.${name}.fetch`, found?.length ?? 0)
          return found
        },
        store: (object, data) => {
          add(bytes, `objects.${name}.store`, data.length)
          return objects.store(object, data)
        },
        shred: (object) => objects.shred(object),
      }
    },
  }
  return {
    platform: wrapPlatform(sized, (name, act) => {
      add(calls, name, 1)
      return act()
    }),
    tally: () =>
      Object.fromEntries([...calls].map(([name, n]) => [name, { calls: n, bytes: bytes.get(name) ?? 0 }])),
    reset: () => {
      calls.clear()
      bytes.clear()
    },
  }
}

function sizedTable(
  table: WriteTable,
  name: TableName,
  add: (call: string, size: number) => void,
): WriteTable {
  const sizeOf = (partition: string, key: string, value: Uint8Array | null) =>
    partition.length + utf8(key).length + (value?.length ?? 0)
  const rows = (call: string, partition: string, found: readonly Row[]) => {
    add(
      call,
      found.reduce((sum, row) => sum + sizeOf(partition, row.key, row.value), 0),
    )
    return found
  }
  return {
    get: async (partition, key) => {
      const row = await table.get(partition, key)
      rows(`table.${name}.get`, partition, row ? [row] : [])
      return row
    },
    range: async (partition, range) =>
      rows(`table.${name}.range`, partition, await table.range(partition, range)),
    insert: (partition, key, value) => {
      add(`table.${name}.insert`, sizeOf(partition, key, value))
      return table.insert(partition, key, value)
    },
    swap: (partition, key, expected, next) => {
      add(`table.${name}.swap`, sizeOf(partition, key, next))
      return table.swap(partition, key, expected, next)
    },
  }
}

/** What one act of several costs: the tally divided by how many they were. */
export function each(tally: Tally, count: number): Tally {
  return mapTally(tally, ({ calls, bytes }) => ({ calls: calls / count, bytes: bytes / count }))
}

/** What grows with `count`, and what does not, from two tallies of different counts. */
export function perAndBase(
  [fewer, few]: readonly [Tally, number],
  [more, many]: readonly [Tally, number],
): { readonly per: Tally; readonly base: Tally } {
  const names = new Set([...Object.keys(fewer), ...Object.keys(more)])
  const none = { calls: 0, bytes: 0 }
  const per: Record<string, Tallied> = {}
  const base: Record<string, Tallied> = {}
  for (const name of names) {
    const [a, b] = [fewer[name] ?? none, more[name] ?? none]
    const calls = Math.max(0, (b.calls - a.calls) / (many - few))
    const bytes = Math.max(0, (b.bytes - a.bytes) / (many - few))
    per[name] = { calls, bytes }
    base[name] = { calls: Math.max(0, a.calls - calls * few), bytes: Math.max(0, a.bytes - bytes * few) }
  }
  return { per, base }
}

/** Calls of a tally whose names begin so. */
export function callsOf(tally: Tally, ...prefixes: readonly string[]): number {
  return Object.entries(tally).reduce(
    (sum, [name, { calls }]) => (prefixes.some((prefix) => name.startsWith(prefix)) ? sum + calls : sum),
    0,
  )
}

function mapTally(tally: Tally, map: (one: Tallied) => Tallied): Tally {
  return Object.fromEntries(Object.entries(tally).map(([name, one]) => [name, map(one)]))
}
