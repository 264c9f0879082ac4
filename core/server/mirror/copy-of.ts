// SPDX-License-Identifier: Apache-2.0
import type { DeploymentId } from '../../bytes/ids.ts'
import type { ObjectsName, Ports, TableName } from '../../ports/needs.ts'
import { COPIED, type HomeStores, type ReadStores } from '../copy/stores.ts'
import type { FetchObjects, ShredObjects } from '../../ports/objects.ts'
import type { ReadTable, WriteTable } from '../../ports/table.ts'

/**
 * What mirroring uses: stores of its own, which no role that serves a home can reach; a key to ask and to speak of erasures
 * with, which is its institution's, and one to state what it holds, which is its deployment's.
 */
export const MIRROR_NEEDS = {
  tables: { mirror: 'write', 'mirror-keys': 'write' },
  objects: { mirror: 'shred' },
  keys: { instance: 'sign', head: 'sign' },
} as const
export type MirrorPorts = Ports<typeof MIRROR_NEEDS>

/** Tables whose overwritten rows must leave no trace, as in the home itself. */
const SCRUBBED: ReadonlySet<TableName> = new Set(['wraps', 'packages', 'labels'])

/** What answering from copies uses: nothing it can write, and no key at all. */
export const KEEPER_NEEDS = {
  tables: { mirror: 'read', 'mirror-keys': 'read' },
  objects: { mirror: 'fetch' },
  keys: {},
} as const
export type KeeperPorts = Ports<typeof KEEPER_NEEDS>

/**
 * The copy of one home within a mirror's stores: the same tables, seen through a prefix, so that whatever reads, verifies
 * or erases in a home does so in its copy. Copies of several homes share nothing.
 */
export function copyOf(ports: Pick<MirrorPorts, 'tables' | 'objects'>, deployment: DeploymentId): HomeStores {
  const under = (name: ObjectsName) => objectsUnder(ports.objects.mirror, `${deployment}/${name}/`)
  return {
    tables: tablesOf(ports.tables, deployment, tableUnder) as HomeStores['tables'],
    objects: { entries: under('entries'), log: under('log') },
  }
}

/** The same copy, only to be read. */
export function readCopyOf(
  ports: Pick<KeeperPorts, 'tables' | 'objects'>,
  deployment: DeploymentId,
): ReadStores {
  const under = (name: ObjectsName): FetchObjects => ({
    fetch: (object, range) => ports.objects.mirror.fetch(`${deployment}/${name}/${object}`, range),
  })
  return {
    tables: tablesOf(ports.tables, deployment, readTableUnder) as ReadStores['tables'],
    objects: { entries: under('entries'), log: under('log') },
  }
}

function tablesOf<T extends ReadTable>(
  tables: { readonly mirror: T; readonly 'mirror-keys': T },
  deployment: DeploymentId,
  under: (table: T, prefix: string) => T,
): object {
  const each = COPIED.map((name) => {
    const table = tables[SCRUBBED.has(name) ? 'mirror-keys' : 'mirror']
    return [name, under(table, `${deployment}/${name}/`)] as const
  })
  return Object.fromEntries(each)
}

function readTableUnder(table: ReadTable, prefix: string): ReadTable {
  return {
    get: (partition, key) => table.get(prefix + partition, key),
    range: (partition, range) => table.range(prefix + partition, range),
  }
}

function tableUnder(table: WriteTable, prefix: string): WriteTable {
  return {
    ...readTableUnder(table, prefix),
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
