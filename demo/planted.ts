// SPDX-License-Identifier: Apache-2.0
// The story's planted resources. Codes are from terminology/ or occur in the patient's own record.

interface Planted {
  readonly fullUrl: string
  readonly text: string
  readonly resource: { readonly resourceType: string; readonly id: string }
}
interface Resource {
  readonly resourceType: string
  readonly id: string
  readonly [name: string]: unknown
}

const LOINC = 'http://loinc.org'
const SNOMED = 'http://snomed.info/sct'
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm'
const CLINICAL = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical'
const VERIFICATION = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification'
const POUNDS_PER_KG = 2.2046226
const CHOLESTEROL_MG_PER_MMOL = 38.6654

/** Hospital A: the allergy. */
export function plantA(patient: string): Planted[] {
  return [
    plant({
      resourceType: 'AllergyIntolerance',
      id: 'a0000000-0000-4000-8000-000000000001',
      clinicalStatus: concept(CLINICAL, 'active'),
      verificationStatus: concept(VERIFICATION, 'confirmed'),
      code: concept(SNOMED, '91936005', 'Allergy to penicillin'),
      patient: reference(patient),
      recordedDate: '2014-03-02T09:30:00+00:00',
    }),
  ]
}

/** Hospital B: the prescription, a unit swap, a result that A told before, "no known allergies", and a broken one. */
export function plantB(patient: string, ofA: readonly Resource[]): Planted[] {
  const weight = latest(ofA, '29463-7')
  const cholesterol = latest(ofA, '2093-3')
  return [
    plant({
      resourceType: 'MedicationRequest',
      id: 'b0000000-0000-4000-8000-000000000001',
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: concept(RXNORM, '308192', 'Amoxicillin 500 MG Oral Tablet'),
      subject: reference(patient),
      authoredOn: '2021-04-20T11:15:00+00:00',
    }),
    plant(
      measured('b0000000-0000-4000-8000-000000000002', patient, '29463-7', 'Body Weight', '2021-04-20T11:00:00+00:00', {
        value: round(Number(quantity(weight).value) * POUNDS_PER_KG),
        unit: 'kg',
        system: 'http://unitsofmeasure.org',
        code: 'kg',
      }),
    ),
    plant(
      measured('b0000000-0000-4000-8000-000000000003', patient, '2093-3', 'Total Cholesterol', String(cholesterol['effectiveDateTime']), {
        value: round(Number(quantity(cholesterol).value) / CHOLESTEROL_MG_PER_MMOL, 2),
        unit: 'mmol/L',
        system: 'http://unitsofmeasure.org',
        code: 'mmol/L',
      }),
    ),
    plant({
      resourceType: 'AllergyIntolerance',
      id: 'b0000000-0000-4000-8000-000000000004',
      clinicalStatus: concept(CLINICAL, 'active'),
      verificationStatus: concept(VERIFICATION, 'confirmed'),
      code: concept(SNOMED, '716186003', 'No known allergy'),
      patient: reference(patient),
      recordedDate: '2021-04-20T11:05:00+00:00',
    }),
    plant({
      resourceType: 'Observation',
      id: 'b0000000-0000-4000-8000-000000000005',
      code: concept(LOINC, '8331-1', 'Oral temperature'),
      subject: reference(patient),
      effectiveDateTime: '2021-04-20T11:02:00+00:00',
    }),
  ]
}

/** A later message of hospital A: the newest hemoglobin again, corrected, and a note that was filed by mistake. */
export function correction(patient: string, ofA: readonly Resource[]): Planted[] {
  const original = latest(ofA, '718-7')
  const value = { ...quantity(original), value: round(Number(quantity(original).value) + 0.9) }
  const meta = { versionId: '2', lastUpdated: '2019-03-22T08:00:00.000+00:00' }
  return [
    plant({ ...original, meta, status: 'corrected', subject: reference(patient), valueQuantity: value }),
    plant({
      resourceType: 'Observation',
      id: 'a0000000-0000-4000-8000-000000000002',
      status: 'final',
      code: concept(LOINC, '72166-2', 'Tobacco smoking status NHIS'),
      subject: reference(patient),
      effectiveDateTime: '2020-02-11T10:00:00+00:00',
      valueCodeableConcept: { text: 'Filed by mistake: this note belongs to another person' },
    }),
  ]
}

function plant(resource: Resource): Planted {
  return { fullUrl: `urn:uuid:${resource.id}`, text: JSON.stringify(resource), resource }
}

function measured(id: string, patient: string, loinc: string, name: string, at: string, valueQuantity: object): Resource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { ...concept(LOINC, loinc, name), text: name },
    subject: reference(patient),
    effectiveDateTime: at,
    valueQuantity,
  }
}

function concept(system: string, code: string, display?: string): object {
  return { coding: [{ system, code, ...(display === undefined ? {} : { display }) }] }
}

function reference(patient: string): object {
  return { reference: `Patient/${patient}` }
}

function latest(resources: readonly Resource[], loinc: string): Resource {
  const found = resources
    .filter((resource) => JSON.stringify(resource['code'] ?? '').includes(`"${loinc}"`))
    .toSorted((a, b) => (String(a['effectiveDateTime']) < String(b['effectiveDateTime']) ? 1 : -1))
  const [first] = found
  if (!first) throw new Error(`the patient has no ${loinc}`)
  return first
}

function quantity(resource: Resource): { readonly value?: unknown } {
  return resource['valueQuantity'] as { value?: unknown }
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits))
}
