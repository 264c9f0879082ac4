// SPDX-License-Identifier: Apache-2.0
import type { Facts } from '../facts.ts'
import { cite, over, type Rule } from '../rule.ts'
import { patientReference, referencesIn } from '../../record/fhir/references.ts'

const dangling: Rule = {
  id: 'R96',
  kahn: 'conformance',
  severity: 'warn',
  review: 'structural',
  rationale: 'A reference leads nowhere',
  apply: (facts) => {
    const known = new Set(facts.items.map(({ source, resource }) => `${source}/${String(resource.id)}`))
    // A UUID means the same resource whoever names it; a plain id only within its institution.
    for (const { resource } of facts.items) known.add(`urn:uuid:${String(resource.id)}`)
    const inner = facts.items.flatMap((item) =>
      referencesIn(item.resource).flatMap(([path, reference]) => {
        const id = /^(?:urn:uuid:|[A-Z][A-Za-z]+\/)([A-Za-z0-9.-]{1,64})(?:\/_history\/.*)?$/.exec(
          reference,
        )?.[1]
        const global = reference.startsWith('urn:uuid:') ? reference : null
        return id === undefined ? [] : [{ item, path, id, global }]
      }),
    )
    return over(inner, 'no reference within the record', ({ item, path, id, global }) =>
      known.has(`${item.source}/${id}`) || (global !== null && known.has(global))
        ? null
        : {
            title: `${item.resource.resourceType} refers to something that is not in the record (${item.source})`,
            explanation: 'The institution did not send it, or sent it under another id.',
            evidence: [
              cite(
                item,
                `/${path
                  .split('.')
                  .slice(1)
                  .join('/')
                  .replaceAll(/\[(\d+)\]/g, '/$1')}`,
                id,
              ),
            ],
          },
    )
  },
}

const otherPatient: Rule = {
  id: 'R01',
  kahn: 'conformance',
  severity: 'error',
  review: 'structural',
  rationale: 'A resource names another patient than its institution does',
  apply: (facts: Facts) => {
    const own = new Map(
      (facts.byType.get('Patient') ?? []).map(({ source, resource }) => [source, String(resource.id)]),
    )
    const named = facts.items.flatMap((item) => {
      const reference = patientReference(item.resource)
      const id = /(?:^urn:uuid:|(?:^|\/)Patient\/)([A-Za-z0-9.-]{1,64})$/.exec(reference ?? '')?.[1]
      return id !== undefined && own.has(item.source) ? [{ item, id }] : []
    })
    return over(named, 'no resource that names its patient', ({ item, id }) =>
      own.get(item.source) === id
        ? null
        : {
            title: `${item.resource.resourceType} names another patient (${item.source})`,
            explanation: 'It may belong to somebody else.',
            evidence: [cite(item, '/subject/reference', id)],
          },
    )
  },
}

export const REFERENCE_RULES: readonly Rule[] = [dangling, otherPatient]
