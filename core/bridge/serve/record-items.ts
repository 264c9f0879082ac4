// SPDX-License-Identifier: Apache-2.0
import type { ClosedEntry } from '../../client/client.ts'
import type { RecordItem } from '../../consistency/facts.ts'
import { shownVersion, type Projection } from './projection.ts'

/** A projection's current resources, as the consistency rules take them. */
export function recordItems(projection: Projection): readonly RecordItem[] {
  return [...projection.resources.values()].flatMap((resource) => {
    const version = shownVersion(resource)
    if (!version) return []
    const { header, entry } = version
    return [
      {
        ref: entry.id,
        source: header.source,
        compartment: entry.compartmentName,
        resource: version.resource,
        fullUrl: header.fullUrl,
      },
    ]
  })
}

/**
 * True for an entry that is there and that this institution does not see now: not granted, held back by its home, of
 * a delivery that is half there, or more than is held of one author. What was erased is gone, and what its author
 * sealed wrongly never opens.
 */
export function mayOpenLater({ status, rule }: Pick<ClosedEntry, 'status' | 'rule'>): boolean {
  return status !== 'erased' && !(status === 'unopenable' && !NOT_THE_SEALS.includes(rule))
}

/** Why a reader does not open what may be sealed rightly. */
const NOT_THE_SEALS: readonly string[] = ['package', 'reader-budget']

/** True when this institution does not see all of the record: then what is absent may be there all the same. */
export function isPartial(projection: Projection): boolean {
  return projection.closed.some(mayOpenLater)
}

/** Whether the entry with an id is one that is there and not seen. Entries of an object that is held back have no ids. */
export function sealedEntries({ closed }: Projection): (id: string) => boolean {
  const unseen = closed.filter(mayOpenLater)
  const ids = new Set<string>(unseen.map((entry) => entry.id))
  const isAnyNameless = unseen.some((entry) => entry.id.startsWith('?'))
  return (id) => isAnyNameless || ids.has(id)
}
