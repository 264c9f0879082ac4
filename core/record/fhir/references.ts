// SPDX-License-Identifier: Apache-2.0
import type { FhirResource, IntakeItem } from './model.ts'

/** Where references within a message lead. */
export interface ReferenceIndex {
  /** `Type/id` of a reference as it is written, or null when it leads out of the message. */
  readonly resolve: (reference: string) => string | null
  /** FHIRPath-like places of references in a resource that lead nowhere within the message. */
  readonly danglingIn: (item: IntakeItem) => readonly string[]
}

/** Elements that say whose resource it is. */
export const PATIENT_ELEMENTS = ['subject', 'patient', 'beneficiary', 'for'] as const

/** Indexes a message's resources by fullUrl and by `Type/id`. */
export function indexReferences(items: readonly IntakeItem[]): ReferenceIndex {
  const names = new Map<string, string>()
  for (const { resource, draft, fullUrl } of items) {
    const name = `${resource.resourceType}/${draft.header.id}`
    names.set(name, name)
    if (fullUrl !== null) names.set(fullUrl, name)
  }
  const resolve = (reference: string) => names.get(reference.replace(/\/_history\/[^/]+$/, '')) ?? null
  return {
    resolve,
    danglingIn: (item) =>
      referencesIn(item.resource)
        .filter(([, reference]) => isInner(reference) && resolve(reference) === null)
        .map(([path]) => path),
  }
}

/** All literal references in a resource, each with its place. */
export function referencesIn(resource: FhirResource): readonly (readonly [string, string])[] {
  const found: [string, string][] = []
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) value.forEach((item, i) => walk(item, `${path}[${i}]`))
    else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        if (name === 'reference' && typeof member === 'string') found.push([`${path}.reference`, member])
        else walk(member, `${path}.${name}`)
      }
    }
  }
  walk(resource, resource.resourceType)
  return found
}

/** The patient that a resource says it is about, as the reference is written; null when it names none. */
export function patientReference(resource: FhirResource): string | null {
  for (const element of PATIENT_ELEMENTS) {
    const value = resource[element] as { reference?: unknown } | undefined
    if (typeof value?.reference === 'string') return value.reference
  }
  return null
}

/** Resources of a message with one patient that name another one. */
export function foreignPatients(
  items: readonly IntakeItem[],
  references: ReferenceIndex,
): readonly IntakeItem[] {
  const patients = items.filter((item) => item.resource.resourceType === 'Patient')
  const [only] = patients
  if (!only || patients.length > 1) return []
  const own = `Patient/${only.draft.header.id}`
  return items.filter((item) => {
    const reference = patientReference(item.resource)
    if (reference === null || reference.startsWith('Group/') || reference.startsWith('#')) return false
    const target = references.resolve(reference)
    return target === null
      ? /(^|\/)Patient\/|^urn:uuid:/.test(reference)
      : target.startsWith('Patient/') && target !== own
  })
}

/** Absolute URLs lead to other servers and are never followed; `#` leads into the resource itself. */
function isInner(reference: string): boolean {
  return !reference.startsWith('#') && !/^https?:/.test(reference) && !/^[A-Za-z]+\?/.test(reference)
}
