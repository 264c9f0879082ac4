// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from '../record/fhir/model.ts'

/** A current resource of a record, as the rules see it. */
export interface RecordItem {
  /** Id of the entry that holds it. */
  readonly ref: string
  /** Institution that sent it. */
  readonly source: string
  readonly compartment: string
  readonly resource: FhirResource
}

/** One measured value. `pointer` leads to it (RFC 6901). */
export interface Measurement {
  readonly item: RecordItem
  readonly loinc: string
  readonly value: number
  readonly unit: string
  /** ms since 1970, or null when the source gave no time. */
  readonly at: number | null
  readonly encounter: string | null
  readonly pointer: string
}

/** A record, indexed once for all rules. */
export interface Facts {
  readonly items: readonly RecordItem[]
  readonly byType: ReadonlyMap<string, readonly RecordItem[]>
  readonly measurements: readonly Measurement[]
  readonly byLoinc: ReadonlyMap<string, readonly Measurement[]>
  /** ms since 1970 of the earliest stated birth date, or null. */
  readonly birth: number | null
  readonly death: number | null
  readonly now: number
}

/** Builds the index: one pass over the record. Entered-in-error resources take no part. */
export function indexFacts(items: readonly RecordItem[], nowMs: number): Facts {
  const valid = items.filter(
    ({ resource }) => resource['status'] !== 'entered-in-error' && !isRefuted(resource, 'entered-in-error'),
  )
  const byType = groupBy(valid, (item) => item.resource.resourceType)
  const measurements = (byType.get('Observation') ?? []).flatMap(measurementsOf)
  const patients = byType.get('Patient') ?? []
  const births = patients.flatMap(({ resource }) => msOf(resource['birthDate']) ?? [])
  const deaths = patients.flatMap(({ resource }) => msOf(resource['deceasedDateTime']) ?? [])
  return {
    items: valid,
    byType,
    measurements,
    byLoinc: groupBy(measurements, (measurement) => measurement.loinc),
    birth: births.length > 0 ? Math.min(...births) : null,
    death: deaths.length > 0 ? Math.max(...deaths) : null,
    now: nowMs,
  }
}

/** All codings of a CodeableConcept, or of a list of them. */
export function codingsOf(
  value: unknown,
): readonly { readonly system: string; readonly code: string; readonly display: string }[] {
  if (Array.isArray(value)) return value.flatMap(codingsOf)
  const { coding } = (value ?? {}) as { coding?: unknown }
  if (!Array.isArray(coding)) return []
  return (coding as { system?: unknown; code?: unknown; display?: unknown }[]).flatMap(
    ({ system, code, display }) =>
      typeof code === 'string' ? [{ system: textOf(system), code, display: textOf(display) }] : [],
  )
}

/** Code of a status element like `clinicalStatus`. */
export function statusCode(value: unknown): string | null {
  return codingsOf(value)[0]?.code ?? null
}

export function isRefuted(resource: FhirResource, code = 'refuted'): boolean {
  return statusCode(resource['verificationStatus']) === code
}

/** ms since 1970 of a FHIR date, dateTime or instant; null when it is none. */
export function msOf(value: unknown): number | null {
  if (typeof value !== 'string' || !/^\d{4}/.test(value)) return null
  const ms = Date.parse(value.length === 4 ? `${value}-01-01` : value)
  return Number.isNaN(ms) ? null : ms
}

/** When something was observed or done. */
export function timeOf(resource: FhirResource): number | null {
  for (const name of [
    'effectiveDateTime',
    'performedDateTime',
    'occurrenceDateTime',
    'authoredOn',
    'onsetDateTime',
    'recordedDate',
  ]) {
    const ms = msOf(resource[name])
    if (ms !== null) return ms
  }
  for (const name of ['effectivePeriod', 'performedPeriod', 'period']) {
    const ms = msOf((resource[name] as { start?: unknown } | undefined)?.start)
    if (ms !== null) return ms
  }
  return null
}

/** Groups by a key, in order. */
export function groupBy<T>(
  values: readonly T[],
  keyOf: (value: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  }
  return groups
}

function measurementsOf(item: RecordItem): Measurement[] {
  const { resource } = item
  const at = timeOf(resource)
  const encounter = (resource['encounter'] as { reference?: string } | undefined)?.reference ?? null
  const components = Array.isArray(resource['component'])
    ? (resource['component'] as Record<string, unknown>[])
    : []
  const parts = [
    { code: resource['code'], quantity: resource['valueQuantity'], pointer: '/valueQuantity/value' },
    ...components.map((part, i) => ({
      code: part['code'],
      quantity: part['valueQuantity'],
      pointer: `/component/${i}/valueQuantity/value`,
    })),
  ]
  return parts.flatMap(({ code, quantity, pointer }) => {
    const {
      value,
      code: ucum,
      unit,
    } = (quantity ?? {}) as { value?: unknown; code?: unknown; unit?: unknown }
    const loinc = codingsOf(code).find((coding) => coding.system === 'http://loinc.org')?.code
    if (loinc === undefined || typeof value !== 'number') return []
    return [{ item, loinc, value, unit: textOf(ucum) || textOf(unit), at, encounter, pointer }]
  })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
