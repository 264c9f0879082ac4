// SPDX-License-Identifier: Apache-2.0
import { P, Q, blood, dated, item, patient, type Case, type Json } from '../small-records.ts'

const about = (subject: string, more: Json = {}) => ({
  resourceType: 'Condition',
  id: 'c',
  subject: { reference: subject },
  ...more,
})
const encounter = (reference: string): Json => ({
  resourceType: 'Condition',
  id: 'c',
  encounter: { reference },
})
const UUID = '0b6f4f43-31f5-4b27-93a3-9b7a5a0f5f0e'
const OTHER = '6cf1f9d0-9f3c-4b52-8d3c-0a2f4c1a9d11'

export const IDENTITY_CASES: readonly Case[] = [
  {
    rule: 'R01',
    broken: dated(about('Patient/other')),
    kept: dated(about('Patient/p')),
    nearly: [
      {
        why: 'a UUID means the same patient whoever names it',
        items: [P, item('b', patient(UUID)), item('a', about(`urn:uuid:${UUID}`))],
        but: [P, item('b', patient(UUID)), item('a', about(`Patient/${OTHER}`))],
      },
      {
        why: 'the institution has two Patient resources for the person',
        items: [P, item('a', patient('p2')), item('a', about('Patient/p2'))],
        but: [P, item('a', patient('p3')), item('a', about('Patient/p2'))],
      },
      {
        why: 'a reference may name a version, and a server',
        items: dated(about('https://ehr.example/fhir/Patient/p/_history/2')),
        but: dated(about('https://ehr.example/fhir/Patient/x/_history/2')),
      },
      {
        why: 'the institution did not say who the patient is',
        items: [Q, item('a', about('Patient/x'))],
        but: [Q, P, item('a', about('Patient/x'))],
        because: 'no Patient resource of the institution',
      },
      {
        why: 'a UUID may have been the name of an entry in its message',
        items: dated(about(`urn:uuid:${OTHER}`)),
        but: dated(about(`Patient/${OTHER}`)),
        because: 'a reference by the name that only its message knew',
      },
      {
        why: 'its message named the patient so',
        items: [{ ...P, fullUrl: `urn:uuid:${OTHER}` }, item('a', about(`urn:uuid:${OTHER}`))],
        but: [{ ...P, fullUrl: `urn:uuid:${OTHER}` }, item('a', about(`Patient/${UUID}`))],
      },
      {
        why: 'the resource was entered in error',
        items: [
          P,
          item('a', about('Patient/p', { id: 'd' })),
          item('a', about('Patient/x', { status: 'entered-in-error' })),
        ],
        but: [
          P,
          item('a', about('Patient/p', { id: 'd' })),
          item('a', about('Patient/x', { status: 'final' })),
        ],
      },
    ],
  },
  {
    rule: 'R03a',
    broken: [P, item('b', patient('q', { birthDate: '1971-01-01' }))],
    kept: [P, Q],
    nearly: [
      {
        why: 'a year agrees with a day in it',
        items: [P, item('b', patient('q', { birthDate: '1970' }))],
        but: [P, item('b', patient('q', { birthDate: '1971' }))],
      },
      {
        why: 'both are of one institution',
        items: [P, item('a', patient('p2', { birthDate: '1971-01-01' }))],
        but: [P, item('b', patient('p2', { birthDate: '1971-01-01' }))],
        because: "fewer than two institutions state the patient's birthDate",
      },
      {
        why: 'the other one was replaced',
        items: [P, Q, item('b', patient('q2', { birthDate: '1971-01-01', link: [{ type: 'replaced-by' }] }))],
        but: [P, Q, item('b', patient('q2', { birthDate: '1971-01-01', link: [{ type: 'seealso' }] }))],
      },
      {
        why: 'the other one is not in use',
        items: [P, Q, item('b', patient('q2', { birthDate: '1971-01-01', active: false }))],
        but: [P, Q, item('b', patient('q2', { birthDate: '1971-01-01', active: true }))],
      },
    ],
  },
  {
    rule: 'R03b',
    broken: [P, item('b', patient('q', { gender: 'male' }))],
    kept: [P, Q],
    nearly: [
      {
        why: 'unknown is no statement',
        items: [P, item('b', patient('q', { gender: 'unknown' }))],
        but: [P, item('b', patient('q', { gender: 'other' }))],
        because: "fewer than two institutions state the patient's gender",
      },
    ],
  },
  {
    rule: 'R04',
    broken: [blood('a', 'x', 'A'), blood('b', 'y', 'B')],
    kept: [blood('a', 'x', 'A'), blood('b', 'y', 'A')],
    nearly: [
      {
        why: 'a single result',
        items: [blood('a', 'x', 'A')],
        but: [blood('a', 'x', 'A'), blood('a', 'y', 'B')],
        because: 'fewer than two blood group results',
      },
      {
        why: 'the same group in other words',
        items: [blood('a', 'x', 'Group A'), blood('b', 'y', 'A Pos', {}, '882-1')],
        but: [blood('a', 'x', 'Group A'), blood('b', 'y', 'AB Pos', {}, '882-1')],
      },
      {
        why: 'words that nobody understands',
        items: [blood('a', 'x', 'A'), blood('b', 'y', 'B?')],
        but: [blood('a', 'x', 'A'), blood('b', 'y', 'B')],
        because: 'a blood group in words that are not understood',
      },
      {
        why: 'a result that was entered in error',
        items: [
          blood('a', 'x', 'A'),
          blood('a', 'z', 'A'),
          blood('b', 'y', 'B', { status: 'entered-in-error' }),
        ],
        but: [blood('a', 'x', 'A'), blood('a', 'z', 'A'), blood('b', 'y', 'B', { status: 'final' })],
      },
      {
        why: 'the group of a donor',
        items: [
          blood('a', 'x', 'A'),
          blood('a', 'z', 'A'),
          blood('b', 'y', 'B', { focus: [{ reference: 'Patient/donor' }] }),
        ],
        but: [blood('a', 'x', 'A'), blood('a', 'z', 'A'), blood('b', 'y', 'B')],
      },
      {
        why: 'Rh says nothing of ABO',
        items: [blood('a', 'x', 'O'), blood('a', 'z', 'O'), blood('b', 'y', 'Rh positive', {}, '10331-7')],
        but: [blood('a', 'x', 'O'), blood('a', 'z', 'O'), blood('b', 'y', 'B positive', {}, '882-1')],
      },
      {
        why: 'the same Rh factor, spelled otherwise',
        items: [blood('a', 'x', 'O+', {}, '882-1'), blood('b', 'y', 'Rh positive', {}, '10331-7')],
        but: [blood('a', 'x', 'O-', {}, '882-1'), blood('b', 'y', 'Rh positive', {}, '10331-7')],
      },
    ],
  },
  {
    rule: 'R96',
    broken: dated(encounter('Encounter/none')),
    kept: [...dated(encounter('Encounter/e')), item('a', { resourceType: 'Encounter', id: 'e' })],
    nearly: [
      {
        why: 'several may name what only their message knew',
        items: [
          ...dated(encounter(`urn:uuid:${UUID}`)),
          item('a', { ...encounter(`urn:uuid:${UUID}`), id: 'd' }),
        ],
        but: [
          ...dated(encounter(`Encounter/${UUID}`)),
          item('a', { ...encounter(`Encounter/${UUID}`), id: 'd' }),
        ],
        because: 'a reference by the name that only its message knew',
      },
      {
        why: 'a text that looks like a reference',
        items: dated({ resourceType: 'Condition', id: 'c', note: [{ text: 'Encounter/none' }] }),
        but: dated({
          resourceType: 'Condition',
          id: 'c',
          note: [{ authorReference: { reference: 'RelatedPerson/none' } }],
        }),
        because: 'no reference to another resource about the patient',
      },
      {
        why: 'it leads to another server',
        items: dated(encounter('https://elsewhere.example/Encounter/1')),
        but: dated(encounter('Encounter/1')),
        because: 'no reference to another resource about the patient',
      },
      {
        why: 'it leads into the resource',
        items: dated({
          resourceType: 'Condition',
          id: 'c',
          evidence: [{ detail: [{ reference: '#x' }] }],
          contained: [{ id: 'x', resourceType: 'Observation' }],
        }),
        but: dated({
          resourceType: 'Condition',
          id: 'c',
          evidence: [{ detail: [{ reference: 'Observation/x' }] }],
          contained: [{ id: 'x', resourceType: 'Observation' }],
        }),
        because: 'no reference to another resource about the patient',
      },
      {
        why: 'who treats is described elsewhere',
        items: dated({ resourceType: 'Condition', id: 'c', recorder: { reference: 'Practitioner/x' } }),
        but: dated({ resourceType: 'Condition', id: 'c', recorder: { reference: 'RelatedPerson/x' } }),
        because: 'no reference to another resource about the patient',
      },
      {
        why: 'what was entered in error is still there',
        items: [
          ...dated(encounter('Encounter/e')),
          item('a', { resourceType: 'Encounter', id: 'e', status: 'entered-in-error' }),
        ],
        but: [
          ...dated(encounter('Encounter/e')),
          item('a', { resourceType: 'Encounter', id: 'e2', status: 'entered-in-error' }),
        ],
      },
      {
        why: 'another institution has that very UUID',
        items: [
          ...dated({ resourceType: 'Condition', id: 'c', encounter: { reference: `urn:uuid:${UUID}` } }),
          item('b', { resourceType: 'Encounter', id: UUID }),
        ],
        but: [
          ...dated({ resourceType: 'Condition', id: 'c', encounter: { reference: `Encounter/${UUID}` } }),
          item('b', { resourceType: 'Encounter', id: OTHER }),
        ],
      },
      {
        why: 'an id of another institution is another id',
        items: [...dated(encounter('Encounter/1')), item('a', { resourceType: 'Encounter', id: '1' })],
        but: [...dated(encounter('Encounter/1')), item('b', { resourceType: 'Encounter', id: '1' })],
      },
      {
        why: 'a UUID may have been the name of an entry in its message',
        items: dated({ resourceType: 'Condition', id: 'c', encounter: { reference: `urn:uuid:${UUID}` } }),
        but: dated({ resourceType: 'Condition', id: 'c', encounter: { reference: `Encounter/${UUID}` } }),
        because: 'a reference by the name that only its message knew',
      },
      {
        why: 'its message named the encounter so',
        items: [
          ...dated({ resourceType: 'Condition', id: 'c', encounter: { reference: `urn:uuid:${UUID}` } }),
          { ...item('a', { resourceType: 'Encounter', id: 'e' }), fullUrl: `urn:uuid:${UUID}` },
        ],
        but: [
          ...dated({ resourceType: 'Condition', id: 'c', encounter: { reference: `Encounter/${UUID}` } }),
          { ...item('a', { resourceType: 'Encounter', id: 'e' }), fullUrl: `urn:uuid:${OTHER}` },
        ],
      },
    ],
  },
]
