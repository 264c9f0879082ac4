// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { referencesIn } from '../../../record/fhir/references.ts'
import { breaks, check, HOLDS, NOTHING, notAssessed, type Part, type Rule } from '../../rule.ts'

/** What describes an institution or a product, not the patient, often stays where it is; patients are R01's matter. */
const OUTSIDE: ReadonlySet<string> = new Set([
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'HealthcareService',
  'Endpoint',
  'Group',
  'Medication',
  'Substance',
  'Questionnaire',
  'Measure',
  'PlanDefinition',
  'ActivityDefinition',
  'ResearchStudy',
  'InsurancePlan',
])

const dangling: Rule = {
  id: 'R96',
  kahn: 'conformance',
  severity: 'warn',
  review: 'structural',
  rationale: 'A reference leads nowhere',
  needs: 'no reference to another resource about the patient',
  checks: [
    check<Reading>({
      scope: 'member',
      reach: 1,
      anchors: 'presence',
      types: null,
      readsExcluded: true,
      reads: ['partial'],
      parts: (reading) => [...namesOf(reading), ...(reading.excluded === null ? pointingsOf(reading) : [])],
      judge: ({ key, members, anchors }, index, { partial }) => {
        if (anchors.length > 0) return HOLDS
        // One finding for each missing target: the first who names it stands for all.
        const value = index === 0 ? members[0]?.value : undefined
        const pointing = value ? pointingTo(value, key) : null
        if (!value || !pointing) return NOTHING
        if (pointing.target.startsWith('urn:'))
          return notAssessed('a reference by the name that only its message knew')
        if (partial) return notAssessed('part of the record is sealed')
        const { item } = value
        return breaks({
          title: `${item.resource.resourceType} refers to something that is not in the record (${item.source})`,
          explanation: 'The institution did not send it, withdrew it, or sent it under another id.',
          evidence: [cite(item, pointing.pointer)],
        })
      },
    }),
  ],
}

function namesOf(reading: Reading): Part<Reading>[] {
  const {
    type,
    item: { source, resource, fullUrl },
  } = reading
  const names = [nameOf(source, type, resource.id ?? '')]
  if (typeof fullUrl === 'string') {
    const name = keyOf(source, fullUrl)
    if (name !== null && !names.includes(name)) names.push(name)
  }
  return names.map((key) => ({ key, isAnchor: true, value: reading }))
}

/** Where a resource points to, each target once. Where in the resource is found out only when it is cited. */
function pointingsOf(reading: Reading): Part<Reading>[] {
  const keys: string[] = []
  // What a Bundle holds refers to what it holds.
  if (reading.type === 'Bundle') return []
  collect(reading.item.resource, (reference) => {
    const key = keyOf(reading.item.source, reference)
    if (key !== null && !keys.includes(key)) keys.push(key)
  })
  return keys.map((key) => ({ key, value: reading }))
}

function collect(value: object, take: (reference: string) => void): void {
  if (Array.isArray(value)) {
    for (const member of value as unknown[])
      if (typeof member === 'object' && member !== null) collect(member, take)
    return
  }
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name]
    if (typeof member === 'object' && member !== null) collect(member, take)
    else if (name === 'reference' && typeof member === 'string') take(member)
  }
}

/** The first reference of a resource that leads to a target, with its pointer (RFC 6901). */
function pointingTo(
  { item }: Reading,
  key: string,
): { readonly pointer: string; readonly target: string } | null {
  for (const [path, target] of referencesIn(item.resource)) {
    if (keyOf(item.source, target) !== key) continue
    const steps = path.split('.').slice(1).join('/')
    return { pointer: `/${steps.replaceAll(/\[(\d+)\]/g, '/$1')}`, target }
  }
  return null
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A UUID means the same resource whoever names it; another id only within its institution and type. */
function nameOf(source: string, type: string, id: string): string {
  return UUID.test(id) ? id.toLowerCase() : `${source}/${type}/${id}`
}

/** The name under which a target is known; null for what leads elsewhere: other servers, searches, parts of the resource itself. */
function keyOf(source: string, reference: string): string | null {
  if (reference.startsWith('urn:uuid:')) return reference.slice('urn:uuid:'.length).toLowerCase()
  const [, type = '', id = ''] = REFERENCE.exec(reference) ?? []
  return type === '' || OUTSIDE.has(type) ? null : nameOf(source, type, id)
}

const REFERENCE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]*)?$/

export const REFERENCE_RULES: readonly Rule[] = [dangling]
