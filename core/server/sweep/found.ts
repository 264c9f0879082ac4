// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../bytes/ids.ts'
import type { Row, WriteTable } from '../../ports/table.ts'
import type { PartNames } from '../store/attempt.ts'
import { chainPartition, objectName, rangeUnder } from '../store/rows.ts'
import type { SweeperPorts } from './needs.ts'

/** Where something was removed. */
export type Store = 'objects' | 'wraps' | 'packages' | 'labels' | 'states' | 'chains'

/** Name of a chain's row in the list of chains, which every block of the chain names. */
export const LISTING = 'chain/listed'

/** A stored part as it was found: `remove` takes away that one and not what may lie there since; false if it did not. */
export interface FoundPart {
  readonly store: Store
  /** Its name among those of `namesIn`. */
  readonly name: string
  readonly remove: () => Promise<boolean>
}

/** The parts with these names that are stored at this moment. */
export async function findParts(
  ports: SweeperPorts,
  chain: ChainId,
  parts: PartNames,
): Promise<readonly FoundPart[]> {
  const { tables } = ports
  const found: FoundPart[] = []
  const one = async (store: 'wraps' | 'labels' | 'states', kind: keyof PartNames) => {
    const key = parts[kind]
    const row = key === null ? null : await tables[store].get(chain, key)
    if (row) found.push({ store, name: `${kind}/${key}`, remove: removal(tables[store], chain, row) })
  }
  if (parts.object !== null && (await isStored(ports, chain, parts.object))) {
    const object = objectName(chain, parts.object)
    const remove = async () => {
      await ports.objects.entries.shred(object)
      return true
    }
    found.push({ store: 'objects', name: `object/${parts.object}`, remove })
  }
  await one('wraps', 'row')
  await one('labels', 'label')
  await one('states', 'state')
  if (parts.packages !== null) {
    const name = `packages/${parts.packages}`
    // At most 512 packages come with a block; a range gives up to 1,000.
    for (const row of await tables.packages.range(chain, rangeUnder(parts.packages)))
      found.push({ store: 'packages', name, remove: removal(tables.packages, chain, row) })
  }
  return found
}

/** The chain's row in the list of chains. */
export async function findListing(ports: SweeperPorts, chain: ChainId): Promise<FoundPart | null> {
  const { chains } = ports.tables
  const row = await chains.get(chainPartition(chain), chain)
  return row && { store: 'chains', name: LISTING, remove: removal(chains, chainPartition(chain), row) }
}

async function isStored(ports: SweeperPorts, chain: ChainId, root: Digest): Promise<boolean> {
  return (await ports.objects.entries.fetch(objectName(chain, root), { start: 0, end: 1 })) !== null
}

function removal(table: WriteTable, partition: string, row: Row): () => Promise<boolean> {
  return async () => (await table.swap(partition, row.key, row.version, null)) !== null
}
