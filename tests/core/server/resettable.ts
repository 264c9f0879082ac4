// SPDX-License-Identifier: Apache-2.0
import { memoryObjects } from '#adapters/memory/objects.ts'
import { memoryTable } from '#adapters/memory/table.ts'
import type { Platform, TableName } from '#core/ports/needs.ts'
import type { ShredObjects } from '#core/ports/objects.ts'
import type { WriteTable } from '#core/ports/table.ts'

/** All that a platform held at one moment, but its registry. */
export interface Saved {
  readonly rows: readonly {
    readonly table: TableName
    readonly partition: string
    readonly key: string
    readonly value: Uint8Array
  }[]
  readonly objects: readonly { readonly name: string; readonly bytes: Uint8Array }[]
}

/** Makes stores with nothing in them. */
export interface EmptyStores {
  readonly table: (name: TableName) => WriteTable
  readonly objects: () => ShredObjects
}

const IN_MEMORY: EmptyStores = { table: memoryTable, objects: memoryObjects }

/** Empty stores on a platform: each has names of its own there, and what lies under the earlier ones stays. */
export function storesOn(platform: Platform): EmptyStores {
  let made = 0
  const under = () => `${made++}/`
  return {
    table: (name) => {
      const [table, prefix] = [platform.table(name), under()]
      return {
        get: (partition, key) => table.get(prefix + partition, key),
        range: (partition, range) => table.range(prefix + partition, range),
        insert: (partition, key, value) => table.insert(prefix + partition, key, value),
        swap: (partition, key, expected, next) => table.swap(prefix + partition, key, expected, next),
      }
    },
    objects: () => {
      const [objects, prefix] = [platform.objects('entries'), under()]
      return {
        fetch: (name, range) => objects.fetch(prefix + name, range),
        store: (name, bytes) => objects.store(prefix + name, bytes),
        shred: (name) => objects.shred(prefix + name),
      }
    },
  }
}

/** A platform that can be put back to what it was: making a world anew for each case takes too long. */
export interface Resettable {
  readonly platform: Platform
  readonly save: () => Promise<Saved>
  readonly load: (saved: Saved) => Promise<void>
}

export function resettable(base: Platform, empty: EmptyStores = IN_MEMORY): Resettable {
  const tables = new Map<
    TableName,
    { table: WriteTable; readonly places: Map<string, readonly [string, string]> }
  >()
  const entries = { objects: empty.objects(), names: new Set<string>() }
  const tableOf = (name: TableName) => {
    const kept = tables.get(name) ?? { table: empty.table(name), places: new Map() }
    tables.set(name, kept)
    return kept
  }
  return {
    platform: {
      ...base,
      // The home reads its registry from the platform beneath.
      table: (name) => (name === 'registry' ? base.table(name) : delegate(() => tableOf(name))),
      objects: () => delegateObjects(entries),
    },
    save: async () => {
      const rows: Saved['rows'][number][] = []
      for (const [name, { table, places }] of tables) {
        for (const [partition, key] of places.values()) {
          const row = await table.get(partition, key)
          if (row) rows.push({ table: name, partition, key, value: row.value })
        }
      }
      const objects: Saved['objects'][number][] = []
      for (const name of entries.names) {
        const bytes = await entries.objects.fetch(name)
        if (bytes) objects.push({ name, bytes })
      }
      return { rows, objects }
    },
    load: async (saved) => {
      for (const [name, kept] of tables) kept.table = empty.table(name)
      for (const { table, partition, key, value } of saved.rows)
        await delegate(() => tableOf(table)).insert(partition, key, value)
      entries.objects = empty.objects()
      for (const { name, bytes } of saved.objects) await delegateObjects(entries).store(name, bytes)
    },
  }
}

function delegate(
  current: () => { readonly table: WriteTable; readonly places: Map<string, readonly [string, string]> },
): WriteTable {
  const note = (partition: string, key: string) =>
    current().places.set(`${partition}\n${key}`, [partition, key])
  return {
    get: (partition, key) => current().table.get(partition, key),
    range: (partition, range) => current().table.range(partition, range),
    insert: (partition, key, value) => {
      note(partition, key)
      return current().table.insert(partition, key, value)
    },
    swap: (partition, key, expected, next) => {
      note(partition, key)
      return current().table.swap(partition, key, expected, next)
    },
  }
}

function delegateObjects(entries: { objects: ShredObjects; readonly names: Set<string> }): ShredObjects {
  return {
    fetch: (name, range) => entries.objects.fetch(name, range),
    store: (name, bytes) => {
      entries.names.add(name)
      return entries.objects.store(name, bytes)
    },
    shred: (name) => entries.objects.shred(name),
  }
}
