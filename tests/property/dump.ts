// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { ObjectsName, Platform, TableName } from '#core/ports/needs.ts'
import type { ShredObjects } from '#core/ports/objects.ts'
import type { Row, WriteTable } from '#core/ports/table.ts'

/** Everything that a platform holds: each row with its version and each object, by its full name. */
export type Dump = Readonly<Record<string, string>>

/** A platform that remembers where it was written to, so that all of it can be listed. */
export interface Recorded {
  readonly platform: Platform
  readonly dump: () => Promise<Dump>
  /** All rows of one partition, however many. */
  readonly rows: (table: TableName, partition: string) => Promise<readonly Row[]>
}

export function recorded(base: Platform): Recorded {
  const partitions = new Map<TableName, Set<string>>()
  const names = new Map<ObjectsName, Set<string>>()
  const rows = (table: TableName, partition: string) => allRows(base.table(table), partition)
  return {
    platform: {
      ...base,
      table: (name) => recordTable(base.table(name), (partition) => remember(partitions, name, partition)),
      objects: (name) => recordObjects(base.objects(name), (object) => remember(names, name, object)),
    },
    rows,
    dump: async () => {
      const held: Record<string, string> = {}
      for (const [table, parts] of partitions) {
        for (const partition of parts) {
          for (const row of await rows(table, partition))
            held[`${table}/${partition}/${row.key}`] = `${row.version} ${hashOf(row.value)}`
        }
      }
      for (const [store, objects] of names) {
        for (const name of objects) {
          const bytes = await base.objects(store).fetch(name)
          if (bytes) held[`${store}:${name}`] = hashOf(bytes)
        }
      }
      return held
    },
  }
}

async function allRows(table: WriteTable, partition: string): Promise<readonly Row[]> {
  const found: Row[] = []
  for (let from = ''; ;) {
    const page = await table.range(partition, { from })
    found.push(...page)
    const last = page.at(-1)
    if (!last) return found
    from = `${last.key}\u0000`
  }
}

function recordTable(table: WriteTable, wrote: (partition: string) => void): WriteTable {
  return {
    ...table,
    insert: (partition, key, value) => {
      wrote(partition)
      return table.insert(partition, key, value)
    },
    swap: (partition, key, expected, next) => {
      wrote(partition)
      return table.swap(partition, key, expected, next)
    },
  }
}

function recordObjects(objects: ShredObjects, wrote: (name: string) => void): ShredObjects {
  return {
    ...objects,
    store: (name, bytes) => {
      wrote(name)
      return objects.store(name, bytes)
    },
  }
}

function remember<K>(map: Map<K, Set<string>>, key: K, value: string): void {
  const set = map.get(key) ?? new Set<string>()
  map.set(key, set.add(value))
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url')
}
