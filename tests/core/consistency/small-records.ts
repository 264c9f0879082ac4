// SPDX-License-Identifier: Apache-2.0
import type { RecordItem } from '#core/consistency/facts.ts'
import type { FhirResource } from '#core/record/fhir/model.ts'

/** Builders of small records for the rules' tests. Codes are from terminology/ or from FHIR itself. */
export type Json = Record<string, unknown>
export type Items = readonly RecordItem[]

/** Records for one rule. */
export interface Case {
  readonly rule: string
  /** A record that breaks the rule, and no other but those in `also`. */
  readonly broken: Items
  readonly also?: readonly string[]
  /** A record to which the rule applies, and which keeps it. */
  readonly kept: Items
  /** Records that look broken and are not; `but` is the same with one thing changed, and is broken. */
  readonly nearly: readonly Nearly[]
}

export interface Nearly {
  readonly why: string
  readonly items: Items
  readonly but: Items
  /** Why the rule cannot judge it, where it cannot; else it must pass. */
  readonly because?: string
  /** True when it can judge another part of it, and passes that. */
  readonly isPartly?: boolean
  /** Rules that also judge `but` broken. */
  readonly also?: readonly string[]
}

export const LOINC = 'http://loinc.org'
export const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm'
export const SNOMED = 'http://snomed.info/sct'
export const CVX = 'http://hl7.org/fhir/sid/cvx'

export const item = (source: string, resource: Json, compartment = 'general'): RecordItem => ({
  ref: `${source}-${String(resource['resourceType'])}-${String(resource['id'])}`,
  source,
  compartment,
  resource: resource as FhirResource,
})
export const concept = (system: string, code: string, display = code) => ({
  coding: [{ system, code, display }],
})
export const status = (code: string) => concept('http://terminology.hl7.org/CodeSystem/status', code)

export const patient = (id: string, more: Json = {}): Json => ({
  resourceType: 'Patient',
  id,
  birthDate: '1970-01-01',
  gender: 'female',
  ...more,
})
export const P = item('a', patient('p'))
export const Q = item('b', patient('q'))

export const measured = (
  id: string,
  loinc: string,
  value: number,
  code: string,
  at = '2020-05-01T10:00:00Z',
  more: Json = {},
): Json => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: concept(LOINC, loinc),
  effectiveDateTime: at,
  valueQuantity: { value, ...(code === '' ? {} : { code, unit: code, system: 'http://unitsofmeasure.org' }) },
  ...more,
})
/** Values of one analyte in one institution, a year apart each. */
export const yearly = (loinc: string, unit: string, ...values: readonly number[]) =>
  values.map((value, i) => item('a', measured(`y${i}`, loinc, value, unit, `201${i}-05-01T10:00:00Z`)))
export const weights = (...values: readonly number[]) => yearly('29463-7', 'kg', ...values)

/** Values of several analytes taken together. */
export const together = (unit: string, ...values: readonly (readonly [string, number])[]) =>
  values.map(([loinc, value], i) => item('a', measured(`t${i}`, loinc, value, unit)))

export const pressure = (id: string, systolic: number, diastolic: number, more: Json = {}): RecordItem =>
  item('a', {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: concept(LOINC, '85354-9'),
    effectiveDateTime: '2020-05-01T10:00:00Z',
    component: [
      { code: concept(LOINC, '8480-6'), valueQuantity: { value: systolic, code: 'mm[Hg]' } },
      { code: concept(LOINC, '8462-4'), valueQuantity: { value: diastolic, code: 'mm[Hg]' } },
    ],
    ...more,
  })

export const allergy = (id: string, code: Json, more: Json = {}): Json => ({
  resourceType: 'AllergyIntolerance',
  id,
  clinicalStatus: status('active'),
  verificationStatus: status('confirmed'),
  code,
  ...more,
})
export const PENICILLIN = concept(SNOMED, '91936005', 'Allergy to penicillin')
export const NONE_KNOWN = concept(SNOMED, '716186003', 'No known allergy')

export const AMOXICILLIN = '308192'
export const LISINOPRIL = '314076'
export const medicine = (id: string, code: string, state = 'active', more: Json = {}): Json => ({
  resourceType: 'MedicationRequest',
  id,
  status: state,
  intent: 'order',
  medicationCodeableConcept: concept(RXNORM, code),
  ...more,
})

export const problem = (id: string, more: Json = {}): Json => ({
  resourceType: 'Condition',
  id,
  code: concept(SNOMED, '38341003', 'Hypertension'),
  clinicalStatus: status('active'),
  verificationStatus: status('confirmed'),
  ...more,
})
export const refuted = { verificationStatus: status('refuted') }
export const error = { verificationStatus: status('entered-in-error') }

export const vaccine = (id: string, at: string, more: Json = {}, cvx = '140'): RecordItem =>
  item('a', {
    resourceType: 'Immunization',
    id,
    status: 'completed',
    vaccineCode: concept(CVX, cvx),
    occurrenceDateTime: at,
    ...more,
  })
export const blood = (
  source: string,
  id: string,
  text: string,
  more: Json = {},
  loinc = '883-9',
): RecordItem =>
  item(source, {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: concept(LOINC, loinc),
    valueCodeableConcept: { text },
    ...more,
  })
export const dated = (resource: Json): Items => [P, item('a', resource)]
