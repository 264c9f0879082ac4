// SPDX-License-Identifier: Apache-2.0
import type { RecordItem } from '#core/consistency/facts.ts'
import type { FhirResource } from '#core/record/fhir/model.ts'

/** Builders of small records for the rules' tests. */
export type Json = Record<string, unknown>
export const LOINC = 'http://loinc.org'
export const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm'
export const SNOMED = 'http://snomed.info/sct'

export const item = (source: string, resource: Json, compartment = 'general'): RecordItem => ({
  ref: `${source}-${String(resource['id'])}`,
  source,
  compartment,
  resource: resource as FhirResource,
})
export const concept = (system: string, code: string) => ({ coding: [{ system, code, display: code }] })
export const patient = (id: string, more: Json = {}) => ({
  resourceType: 'Patient',
  id,
  birthDate: '1970-01-01',
  gender: 'female',
  ...more,
})
export const measured = (
  id: string,
  loinc: string,
  value: number,
  code: string,
  at = '2020-05-01T10:00:00Z',
  more: Json = {},
) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: concept(LOINC, loinc),
  effectiveDateTime: at,
  valueQuantity: { value, code, unit: code },
  ...more,
})
export const weights = (...values: number[]) =>
  values.map((value, i) => item('a', measured(`w${i}`, '29463-7', value, 'kg', `201${i}-05-01T10:00:00Z`)))
export const allergy = (id: string, code: Json, more: Json = {}) => ({
  resourceType: 'AllergyIntolerance',
  id,
  clinicalStatus: concept('x', 'active'),
  verificationStatus: concept('x', 'confirmed'),
  code,
  ...more,
})
export const medicine = (id: string, code: string, status = 'active') => ({
  resourceType: 'MedicationRequest',
  id,
  status,
  medicationCodeableConcept: concept(RXNORM, code),
})
export const PENICILLIN = concept(SNOMED, '91936005')
export const problem = (id: string, more: Json = {}) => ({
  resourceType: 'Condition',
  id,
  code: concept(SNOMED, '38341003'),
  clinicalStatus: concept('x', 'active'),
  verificationStatus: concept('x', 'confirmed'),
  ...more,
})
export const P = item('a', patient('p'))
export const B = item('b', patient('q'))
export const bmi = (value: number) =>
  ['39156-5', '29463-7', '8302-2'].map((loinc, i) =>
    item('a', measured(`v${i}`, loinc, [value, 80, 180][i] ?? 0, ['kg/m2', 'kg', 'cm'][i] ?? '')),
  )
export const pressure = (systolic: number, diastolic: number) =>
  item('a', {
    resourceType: 'Observation',
    id: 'bp',
    status: 'final',
    code: concept(LOINC, '55284-4'),
    effectiveDateTime: '2020-05-01T10:00:00Z',
    component: [
      { code: concept(LOINC, '8480-6'), valueQuantity: { value: systolic, code: 'mm[Hg]' } },
      { code: concept(LOINC, '8462-4'), valueQuantity: { value: diastolic, code: 'mm[Hg]' } },
    ],
  })
export const pair = (a: [string, number], b: [string, number], unit: string) => [
  item('a', measured('x', a[0], a[1], unit)),
  item('a', measured('y', b[0], b[1], unit)),
]
export const dated = (resource: Json) => [P, item('a', resource)]
export const vaccine = (id: string, at: string) =>
  item('a', {
    resourceType: 'Immunization',
    id,
    status: 'completed',
    vaccineCode: concept('http://hl7.org/fhir/sid/cvx', '140'),
    occurrenceDateTime: at,
  })
export const blood = (source: string, id: string, text: string) =>
  item(source, {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: concept(LOINC, '883-9'),
    valueCodeableConcept: { text },
  })
