// SPDX-License-Identifier: Apache-2.0
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
      },
    ]
  })
}
