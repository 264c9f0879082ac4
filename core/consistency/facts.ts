// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from '../record/fhir/model.ts'
import type { Knowledge } from './knowledge.ts'
import { exclusionOf } from './read/codes.ts'
import { eventOf, type Event } from './read/event.ts'
import { measurementsOf, type Measurement } from './read/measurement.ts'

/** A current resource of a record, as the rules see it. */
export interface RecordItem {
  /** Id of the entry that holds it: another version of the resource is another item. */
  readonly ref: string
  /** Institution that sent it. */
  readonly source: string
  readonly compartment: string
  readonly resource: FhirResource
  /** Name by which its own message referred to it, where that is known. */
  readonly fullUrl?: string | null
}

/** What all rules need of a resource, read once. */
export interface Reading {
  readonly item: RecordItem
  readonly type: string
  /** `source/type/id/ref`: an order that does not depend on when a resource was filed. */
  readonly key: string
  /** Why no rule may use it, or null. */
  readonly excluded: string | null
  /** When it happened; null for plans and where no time is stated. */
  readonly event: Event | null
  readonly measurements: readonly Measurement[]
}

const NONE: readonly Measurement[] = []

/** Reads a resource. */
export function readItem(item: RecordItem, knowledge: Knowledge): Reading {
  const { resource } = item
  const type = resource.resourceType
  const excluded = exclusionOf(resource)
  return {
    item,
    type,
    key: `${item.source}/${type}/${resource.id ?? ''}/${item.ref}`,
    excluded,
    event: excluded === null ? eventOf(resource) : null,
    measurements: excluded === null && type === 'Observation' ? measurementsOf(resource, knowledge) : NONE,
  }
}
