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

/**
 * Sorts a message's resources by patient. Practitioners, organizations and the like go with every patient
 * whose resources refer to them, and with all when nothing does.
 * @throws AmpereError RESOURCE_MALFORMED when a bundle names no patient or more than one
 */
export function groupByPatient(intake: Intake): readonly PatientGroup[] {
  const groups = new Map<string, IntakeItem[]>()
  const shared: IntakeItem[] = []
  for (const item of intake.items) {
    const patientId = patientOf(item, intake)
    if (patientId === null) shared.push(item)
    else groups.set(patientId, [...(groups.get(patientId) ?? []), item])
  }
  if (intake.bundleType !== null && intake.items.length > 0) {
    if (groups.size === 0) throw new AmpereError('RESOURCE_MALFORMED', 'the bundle names no patient')
    if (groups.size > 1)
      throw new AmpereError(
        'RESOURCE_MALFORMED',
        `the bundle is about ${groups.size} patients; send one bundle per patient`,
      )
  }
  return [...groups].map(([patientId, items]) => ({
    patientId,
    items: [...items, ...(groups.size === 1 ? shared : referredTo(items, shared, intake))],
  }))
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
  shared: readonly IntakeItem[],
  intake: Intake,
): IntakeItem[] {
  const names = new Set<string>()
  for (const item of items) {
    for (const [, reference] of referencesIn(item.resource))
      names.add(intake.references.resolve(reference) ?? reference)
  }
  return shared.filter((item) => names.has(`${item.resource.resourceType}/${item.draft.header.id}`))
}
