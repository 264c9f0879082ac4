// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId, EntryId } from '../../bytes/ids.ts'
import type { AppendTable, WriteTable } from '../../ports/table.ts'
import type { SealedRows } from './sealed-rows.ts'

/** An entry as the index knows it. */
export interface IndexedEntry {
  readonly id: EntryId
  readonly patientId: string
  /** `source/type/id`. */
  readonly resource: string
  /** SHA-256 of the resource's exact bytes. */
  readonly content: string
  /** `Type/id` under which it is served. */
  readonly served: string
}

/**
 * What this institution remembers of resources between restarts, in keyed hashes only: in whose record one is
 * served, and which were erased, so that no delivery brings them back.
 */
export interface ResourceIndex {
  note(chain: ChainId, entries: readonly IndexedEntry[]): Promise<void>
  /** Name of the patient's row whose record serves `Type/id`; null when none is known to. */
  find(served: string): Promise<string | null>
  /** Forgets erased entries; `remain` are the resources of which other versions stand. Safe to repeat. */
  forget(chain: ChainId, entries: readonly EntryId[], remain: ReadonlySet<string>): Promise<void>
  /** Forgets all of a chain. Safe to repeat. */
  forgetAll(chain: ChainId): Promise<void>
  /** True when the resource, or just this content of it, was erased from the chain. */
  isForgotten(chain: ChainId, resource: string, content: string): Promise<boolean>
}

/** An index in the bridge's own table. */
export function createResourceIndex(table: WriteTable, rows: SealedRows): ResourceIndex {
  const partitionOf = (chain: ChainId) => `entry/${rows.nameOf('chain', chain)}`
  const whole = (chain: ChainId) => rows.nameOf('erased', chain)
  const one = (chain: ChainId, ...parts: string[]) => rows.nameOf('erased', chain, ...parts)
  return {
    note: async (chain, entries) => {
      const partition = partitionOf(chain)
      await Promise.all(
        entries.flatMap(({ id, patientId, resource, content, served }) => {
          const name = rows.nameOf('served', served)
          const patient = rows.nameOf('patient', patientId)
          const noted = [one(chain, resource), one(chain, resource, content), name, patient].join(' ')
          return [table.insert(partition, id, utf8(noted)), table.insert('served', name, utf8(patient))]
        }),
      )
    },
    find: async (served) => {
      const row = await table.get('served', rows.nameOf('served', served))
      return row ? fromUtf8(row.value) : null
    },
    forget: async (chain, entries, remain) => {
      const standing = new Set([...remain].map((resource) => one(chain, resource)))
      for (const id of entries) await forgetEntry(table, partitionOf(chain), id, standing)
    },
    forgetAll: async (chain) => {
      await table.insert('erased', whole(chain), new Uint8Array(0))
      for (;;) {
        const page = await table.range(partitionOf(chain))
        if (page.length === 0) return
        for (const row of page) await forgetEntry(table, partitionOf(chain), row.key, new Set())
      }
    },
    isForgotten: async (chain, resource, content) => {
      const names = [whole(chain), one(chain, resource), one(chain, resource, content)]
      const found = await Promise.all(names.map((name) => isErased(table, name)))
      return found.includes(true)
    },
  }
}

/** The mark is made before the entry's own row goes, so that a crash between them is repaired by repeating. */
async function forgetEntry(
  table: WriteTable,
  partition: string,
  id: string,
  standing: ReadonlySet<string>,
): Promise<void> {
  const row = await table.get(partition, id)
  if (!row) return
  const [resource = '', content = '', served = '', patient] = fromUtf8(row.value).split(' ')
  const stands = standing.has(resource)
  await table.insert('erased', stands ? content : resource, new Uint8Array(0))
  const serving = stands ? null : await table.get('served', served)
  // Practitioners and the like are in many records; another patient's may still serve them.
  if (serving && fromUtf8(serving.value) === patient)
    await table.swap('served', served, serving.version, null)
  await table.swap(partition, id, row.version, null)
}

async function isErased(table: AppendTable, name: string): Promise<boolean> {
  return (await table.get('erased', name)) !== null
}
