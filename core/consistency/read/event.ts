// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from '../../record/fhir/model.ts'
import { momentOf, type Moment } from './moment.ts'

/** When something was observed or done, and the element that says so (RFC 6901). */
export interface Event {
  readonly at: Moment
  readonly pointer: string
}

/** Elements that say when, by resource type, the most telling first. */
const ELEMENTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Observation', ['effectiveDateTime', 'effectiveInstant', 'effectivePeriod']],
  ['DiagnosticReport', ['effectiveDateTime', 'effectivePeriod']],
  ['Procedure', ['performedDateTime', 'performedPeriod']],
  ['Immunization', ['occurrenceDateTime']],
  ['MedicationAdministration', ['effectiveDateTime', 'effectivePeriod']],
  ['Encounter', ['period']],
  ['Condition', ['onsetDateTime', 'onsetPeriod', 'recordedDate']],
])

/** States in which nothing has happened yet, or did not happen. */
const NOT_HAPPENED: ReadonlySet<unknown> = new Set([
  'planned',
  'cancelled',
  'preparation',
  'not-done',
  'registered',
])

/** Types that tell of something that happened to the patient. */
export const EVENT_TYPES: readonly string[] = [...ELEMENTS.keys()]

/** The beginning of an event that happened; null for plans, for what was not done, and without a time. */
export function eventOf(resource: FhirResource): Event | null {
  if (NOT_HAPPENED.has(resource['status'])) return null
  for (const element of ELEMENTS.get(resource.resourceType) ?? []) {
    const value = resource[element]
    const isPeriod = typeof value === 'object' && value !== null
    const at = momentOf(isPeriod ? (value as { start?: unknown }).start : value)
    if (at) return { at, pointer: isPeriod ? `/${element}/start` : `/${element}` }
  }
  return null
}
