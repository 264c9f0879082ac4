// SPDX-License-Identifier: Apache-2.0
import type { IntakeItem } from '../../record/fhir/model.ts'
import { AmpereError } from '../../errors.ts'
import type { Intake } from '../../record/fhir/intake.ts'
import { patientReference, referencesIn } from '../../record/fhir/references.ts'

/** The resources of one message that belong to one patient. */
export interface PatientGroup {
  readonly patientId: string
  readonly items: readonly IntakeItem[]
}

/** A message, sorted. */
export interface Sorted {
  readonly groups: readonly PatientGroup[]
  /** Resources that are about a patient and name none: they cannot be filed. */
  readonly homeless: readonly IntakeItem[]
}

/**
 * Stands for the institution itself in the patient index: the record that holds its own practitioners,
 * organizations and the like, as far as they came without a patient. No FHIR id has this form.
 */
export const DIRECTORY = '@directory'

/** Said of a resource that is filed nowhere because nobody knows to whom it belongs. */
export const NO_PATIENT = 'the resource is about a patient and names none'

/** Types that can be about a patient and make sense without one. */
const WITHOUT_PATIENT: readonly string[] = ['Device', 'Group', 'List', 'Basic', 'ResearchSubject']

/**
 * Sorts a message's resources by patient. Practitioners, organizations and the like go with every patient
 * whose resources refer to them, with the one patient of a message, and else to the institution's own record.
 * `patientTypes` are those that can be about a patient.
 * @throws AmpereError RESOURCE_MALFORMED when a bundle is about more than one patient
 */
export function groupByPatient(intake: Intake, patientTypes: readonly string[]): Sorted {
  const byPatient = new Map<string, IntakeItem[]>()
  const shared: IntakeItem[] = []
  for (const item of intake.items) {
    const patientId = patientOf(item, intake)
    if (patientId === null) shared.push(item)
    else if (byPatient.has(patientId)) byPatient.get(patientId)?.push(item)
    else byPatient.set(patientId, [item])
  }
  if (intake.bundleType !== null && byPatient.size > 1) {
    const why = `the bundle is about ${byPatient.size} patients; send one bundle per patient`
    throw new AmpereError('RESOURCE_MALFORMED', why)
  }
  const taken = new Set<IntakeItem>()
  const byName = Map.groupBy(shared, nameOf)
  const groups = [...byPatient].map(([patientId, items]) => {
    const more = byPatient.size === 1 ? shared : referredTo(items, byName, intake)
    for (const item of more) taken.add(item)
    return { patientId, items: [...items, ...more] }
  })
  const rest = shared.filter((item) => !taken.has(item))
  const homeless = rest.filter(({ resource: { resourceType } }) => needsPatient(resourceType, patientTypes))
  const own = rest.filter(({ resource: { resourceType } }) => !needsPatient(resourceType, patientTypes))
  return { groups: own.length === 0 ? groups : [...groups, { patientId: DIRECTORY, items: own }], homeless }
}

/** True for a type that is about somebody, whose resources must say about whom. */
export function needsPatient(type: string, patientTypes: readonly string[]): boolean {
  return patientTypes.includes(type) && !WITHOUT_PATIENT.includes(type)
}

function patientOf(item: IntakeItem, intake: Intake): string | null {
  if (item.resource.resourceType === 'Patient') return item.draft.header.id
  const reference = patientReference(item.resource)
  if (reference === null) return null
  const target = intake.references.resolve(reference) ?? reference
  const match = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/.exec(target)
  return match?.[1] ?? (target.startsWith('urn:uuid:') ? target.slice('urn:uuid:'.length) : null)
}

function referredTo(
  items: readonly IntakeItem[],
  shared: ReadonlyMap<string, readonly IntakeItem[]>,
  intake: Intake,
): IntakeItem[] {
  const names = new Set<string>()
  for (const item of items) {
    for (const [, reference] of referencesIn(item.resource))
      names.add(intake.references.resolve(reference) ?? reference)
  }
  const found = [...names].flatMap((name) => shared.get(name) ?? [])
  return found.toSorted((a, b) => a.position - b.position)
}

function nameOf({ resource, draft }: IntakeItem): string {
  return `${resource.resourceType}/${draft.header.id}`
}
