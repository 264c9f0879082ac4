// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { patientReference } from '../../../record/fhir/references.ts'
import {
  check,
  breaks,
  found,
  HOLDS,
  NOTHING,
  notAssessed,
  type Group,
  type Outcome,
  type Rule,
} from '../../rule.ts'
import { isPatientInUse } from '../../situation.ts'
import { bloodGroupsOf } from '../../read/blood-group.ts'
import { pairsOf, runsOf } from '../runs.ts'

interface Described {
  readonly reading: Reading
  readonly value: string
}

function demographics(
  id: string,
  element: 'birthDate' | 'gender',
  words: string,
  agree: (a: string, b: string) => boolean,
): Rule {
  return {
    id,
    kahn: 'plausibility',
    severity: 'warn',
    review: 'structural',
    rationale: `Institutions give different ${words}`,
    needs: `fewer than two institutions state the patient's ${element}`,
    checks: [
      check<Described>({
        scope: 'group',
        types: ['Patient'],
        parts: (reading) => {
          const value = reading.item.resource[element]
          if (typeof value !== 'string' || value === 'unknown' || !isPatientInUse(reading)) return []
          return [{ key: '', run: reading.item.source, value: { reading, value } }]
        },
        judge: (group) => compareDescriptions(group, element, words, agree),
      }),
    ],
  }
}

function compareDescriptions(
  { members }: Group<Described>,
  element: string,
  words: string,
  agree: (a: string, b: string) => boolean,
): Outcome {
  // An institution with several Patient resources that say the same counts once.
  const distinct = new Map<string, Described>()
  for (const { run, value } of members) {
    const key = `${run}/${value.value}`
    if (!distinct.has(key)) distinct.set(key, value)
  }
  const pairs = pairsOf([...distinct.values()]).filter(
    ([a, b]) => a.reading.item.source !== b.reading.item.source,
  )
  const hits = pairs
    .filter(([a, b]) => !agree(a.value, b.value))
    .map(([a, b]) => {
      const [left, right] = [a.reading.item, b.reading.item]
      return {
        title: `Different ${words}: ${a.value} (${left.source}), ${b.value} (${right.source})`,
        explanation: `${left.source} and ${right.source} do not agree on who this is. One of them may have filed under the wrong patient.`,
        evidence: [cite(left, `/${element}`), cite(right, `/${element}`)],
      }
    })
  return { ...NOTHING, checked: pairs.length, hits }
}

/** Equal as far as both are stated: 1970 and 1970-03-01 may be the same day. */
function agreeAsDates(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length)
  return a.slice(0, length) === b.slice(0, length)
}

const otherPatient: Rule = {
  id: 'R01',
  kahn: 'conformance',
  severity: 'error',
  review: 'structural',
  rationale: 'A resource names another patient than its institution does',
  needs: 'no resource that names its patient',
  checks: [
    check<Reading>({
      scope: 'member',
      reach: 0,
      anchors: 'presence',
      types: null,
      reads: ['describedBy', 'partial'],
      parts: (reading) => {
        const { item } = reading
        if (reading.type === 'Patient')
          return namesOf(reading).map((key) => ({ key, isAnchor: true, value: reading }))
        const key = nameOf(item.source, patientReference(item.resource))
        return key === null ? [] : [{ key, value: reading }]
      },
      judge: ({ members, anchors }, index, { describedBy, partial }) => {
        const item = members[index]?.value.item
        if (!item || anchors.length > 0) return HOLDS
        if (!describedBy.has(item.source)) return notAssessed('no Patient resource of the institution')
        if (members[index]?.value && isLocalName(item.resource))
          return notAssessed('a reference by the name that only its message knew')
        if (partial) return notAssessed('part of the record is sealed')
        return breaks({
          title: `${item.resource.resourceType} names another patient (${item.source})`,
          explanation: 'It may belong to somebody else.',
          evidence: [cite(item, pointerOf(item.resource))],
        })
      },
    }),
  ],
}

const PATIENT_ELEMENTS = ['subject', 'patient', 'beneficiary', 'for']

/** Where the reference stands that `patientReference` reads. */
function pointerOf(resource: Reading['item']['resource']): string {
  const named = PATIENT_ELEMENTS.find(
    (element) => typeof (resource[element] as { reference?: unknown } | undefined)?.reference === 'string',
  )
  return `/${named ?? 'subject'}/reference`
}

/** A UUID that is nobody's id may have been the name of an entry in the message, which is not kept. */
function isLocalName(resource: Reading['item']['resource']): boolean {
  return patientReference(resource)?.startsWith('urn:uuid:') === true
}

function namesOf({ excluded, item: { source, resource, fullUrl } }: Reading): readonly string[] {
  if (excluded !== null) return []
  const id = resource.id ?? ''
  const names = [`${source}/${id}`, `urn:uuid:${id}`]
  return typeof fullUrl === 'string' && !names.includes(fullUrl) ? [...names, fullUrl] : names
}

function nameOf(source: string, reference: string | null): string | null {
  if (reference === null) return null
  const plain = reference.replace(/\/_history\/[^/]*$/, '')
  if (plain.startsWith('urn:uuid:')) return plain
  const id = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/.exec(plain)?.[1]
  return id === undefined ? null : `${source}/${id}`
}

interface Typed {
  readonly reading: Reading
  readonly pointer: string
  readonly value: string
}

const bloodGroup: Rule = {
  id: 'R04',
  kahn: 'plausibility',
  severity: 'safety',
  review: 'structural',
  rationale: 'A blood group does not change',
  needs: 'fewer than two blood group results',
  checks: [
    {
      scope: 'resource',
      types: ['Observation'],
      judge: (reading, _situation, { knowledge }) =>
        bloodGroupsOf(reading, knowledge).flatMap(({ value }) =>
          value === null ? notAssessed('a blood group in words that are not understood') : [],
        ),
    },
    check<Typed>({
      scope: 'group',
      types: ['Observation'],
      parts: (reading, { knowledge }) =>
        bloodGroupsOf(reading, knowledge).flatMap(({ pointer, value }) => [
          ...(value?.abo === undefined
            ? []
            : [{ key: 'abo', run: value.abo, value: { reading, pointer, value: value.abo } }]),
          ...(value?.rh === undefined
            ? []
            : [{ key: 'rh', run: value.rh, value: { reading, pointer, value: value.rh } }]),
        ]),
      judge: ({ members }) => {
        if (members.length < 2) return NOTHING
        const distinct = runsOf(members).map((run) => run.first.value)
        const { hits } = found(pairsOf(distinct).map(([a, b]) => differentGroups(a, b)))
        return { ...NOTHING, checked: members.length, hits }
      },
    }),
  ],
}

function differentGroups(a: Typed, b: Typed) {
  const [left, right] = [a.reading.item, b.reading.item]
  return {
    title: `Different blood groups: ${a.value} (${left.source}), ${b.value} (${right.source})`,
    explanation:
      'One of the samples may be of another person. After a transplant of bone marrow both may be right.',
    evidence: [cite(left, a.pointer), cite(right, b.pointer)],
  }
}

export const IDENTITY_RULES: readonly Rule[] = [
  otherPatient,
  demographics('R03a', 'birthDate', 'birth dates', agreeAsDates),
  demographics('R03b', 'gender', 'administrative genders', (a, b) => a === b),
  bloodGroup,
]
