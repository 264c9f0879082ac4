// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from '../fhir/model.ts'
import { COMPARTMENTS, type CompartmentName } from '../entry.ts'

/** The versioned code sets that sort resources into compartments; parsed from terminology/sensitivity.json. */
export interface SensitivityTable {
  readonly version: string
  /** System, code, `exact` or `prefix`, compartments. */
  readonly codes: readonly (readonly [string, string, string, readonly string[]])[]
  /** System, code of a security label, compartment. */
  readonly labels: readonly (readonly [string, string, string])[]
}

/** How resources are sorted. A value, so that a source or a patient's wish can bring another. */
export interface LabelPolicy {
  readonly version: string
  readonly codes: ReadonlyMap<string, readonly CompartmentName[]>
  /** Prefixes of codes by code system, in the order of the table: the first that fits decides. */
  readonly prefixes: ReadonlyMap<string, readonly (readonly [string, readonly CompartmentName[]])[]>
  readonly labels: ReadonlyMap<string, CompartmentName>
  readonly systems: ReadonlySet<string>
}

/** Types that describe who and where, not what was found; they go to `general`. */
const ADMINISTRATIVE: ReadonlySet<string> = new Set([
  'Patient',
  'RelatedPerson',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Device',
  'Coverage',
  'HealthcareService',
  'Endpoint',
])

/** Code systems in which a code that is not listed as sensitive counts as not sensitive. */
const COVERED_SYSTEMS = [
  'http://snomed.info/sct',
  'http://loinc.org',
  'http://hl7.org/fhir/sid/icd-10-cm',
  'http://www.nlm.nih.gov/research/umls/rxnorm',
  'http://hl7.org/fhir/sid/cvx',
]

/** Prepares the tables for look-ups. */
export function createLabelPolicy(table: SensitivityTable): LabelPolicy {
  const exact = table.codes.filter(([, , match]) => match === 'exact')
  return {
    version: table.version,
    codes: new Map(
      exact.map(([system, code, , names]) => [`${system}|${code}`, names.filter(isCompartment)]),
    ),
    prefixes: prefixesBySystem(table),
    labels: new Map(
      table.labels.flatMap(([system, code, name]) =>
        isCompartment(name) ? [[`${system}|${code}`, name] as const] : [],
      ),
    ),
    systems: new Set(COVERED_SYSTEMS),
  }
}

function prefixesBySystem(table: SensitivityTable): LabelPolicy['prefixes'] {
  const bySystem = new Map<string, (readonly [string, readonly CompartmentName[]])[]>()
  for (const [system, code, match, names] of table.codes) {
    if (match !== 'prefix') continue
    const known = bySystem.get(system) ?? []
    bySystem.set(system, known)
    known.push([code, names.filter(isCompartment)])
  }
  return bySystem
}

/**
 * The compartment of a resource and all the labels that apply. Received security labels come first, then
 * its codes. With several sensitive labels the first in the order of `COMPARTMENTS` after `general` decides,
 * so that the choice does not depend on the order in the resource. A resource without a code in a covered
 * system is `unclassified`: it is shared only on purpose.
 */
export function compartmentOf(
  resource: FhirResource,
  policy: LabelPolicy,
): { readonly compartment: CompartmentName; readonly labels: readonly CompartmentName[] } {
  const found = new Set<CompartmentName>()
  for (const { system, code } of securityLabels(resource)) {
    const name = policy.labels.get(`${system}|${code}`)
    if (name) found.add(name)
  }
  const codings = codingsIn(resource)
  for (const { system, code } of codings) for (const name of namesOf(system, code, policy)) found.add(name)
  const labels = COMPARTMENTS.filter((name) => found.has(name))
  const [first] = labels
  if (first) return { compartment: first, labels }
  const covered = codings.some(({ system }) => policy.systems.has(system))
  return {
    compartment: covered || ADMINISTRATIVE.has(resource.resourceType) ? 'general' : 'unclassified',
    labels,
  }
}

function namesOf(system: string, code: string, policy: LabelPolicy): readonly CompartmentName[] {
  const exact = policy.codes.get(`${system}|${code}`)
  if (exact) return exact
  return policy.prefixes.get(system)?.find(([prefix]) => code.startsWith(prefix))?.[1] ?? []
}

interface Coding {
  readonly system: string
  readonly code: string
}

function securityLabels(resource: FhirResource): Coding[] {
  const meta = (resource['meta'] ?? {}) as { security?: unknown }
  return Array.isArray(meta.security) ? meta.security.flatMap(asCoding) : []
}

/** Every coding in a resource outside `meta`. */
function codingsIn(resource: FhirResource): Coding[] {
  const found: Coding[] = []
  const walk = (value: object): void => {
    if (!Array.isArray(value)) found.push(...asCoding(value))
    for (const [name, member] of Object.entries(value) as [string, unknown][]) {
      if (typeof member === 'object' && member !== null && name !== 'meta') walk(member)
    }
  }
  walk(resource)
  return found
}

function asCoding(value: unknown): Coding[] {
  const { system, code } = (value ?? {}) as { system?: unknown; code?: unknown }
  return typeof system === 'string' && typeof code === 'string' ? [{ system, code }] : []
}

function isCompartment(name: string): name is CompartmentName {
  return COMPARTMENTS.some((known) => known === name)
}
