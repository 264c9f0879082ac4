// SPDX-License-Identifier: Apache-2.0
import type { DeploymentId } from '../../bytes/ids.ts'
import type { ObjectsName, Ports, TableName } from '../../ports/needs.ts'
import { COPIED, type HomeStores } from '../copy/stores.ts'
import type { ShredObjects } from '../../ports/objects.ts'
import type { WriteTable } from '../../ports/table.ts'

/** What mirroring uses: stores of its own, which no role that serves anything can reach, and one key to speak with. */
export const MIRROR_NEEDS = {
  tables: { mirror: 'write', 'mirror-keys': 'write' },
  objects: { mirror: 'shred' },
  keys: { instance: 'sign' },
} as const
export type MirrorPorts = Ports<typeof MIRROR_NEEDS>

/** Tables whose overwritten rows must leave no trace, as in the home itself. */
const SCRUBBED: ReadonlySet<TableName> = new Set(['wraps', 'packages', 'labels'])

/**
 * The copy of one home within a mirror's stores: the same tables, seen through a prefix, so that whatever reads, verifies
 * or erases in a home does so in its copy. Copies of several homes share nothing.
 */
export function copyOf(ports: Pick<MirrorPorts, 'tables' | 'objects'>, deployment: DeploymentId): HomeStores {
  const tables = COPIED.map((name) => {
    const table = ports.tables[SCRUBBED.has(name) ? 'mirror-keys' : 'mirror']
    return [name, tableUnder(table, `${deployment}/${name}/`)] as const
  })
  const under = (name: ObjectsName) => objectsUnder(ports.objects.mirror, `${deployment}/${name}/`)
  return {
    tables: Object.fromEntries(tables) as unknown as HomeStores['tables'],
    objects: { entries: under('entries'), log: under('log') },
  }
}

function tableUnder(table: WriteTable, prefix: string): WriteTable {
  return {
    get: (partition, key) => table.get(prefix + partition, key),
    range: (partition, range) => table.range(prefix + partition, range),
    insert: (partition, key, value) => table.insert(prefix + partition, key, value),
    swap: (partition, key, expected, next) => table.swap(prefix + partition, key, expected, next),
  }
}

function objectsUnder(objects: ShredObjects, prefix: string): ShredObjects {
  return {
    fetch: (name, range) => objects.fetch(prefix + name, range),
    store: (name, bytes) => objects.store(prefix + name, bytes),
    shred: (name) => objects.shred(prefix + name),
  }
}
