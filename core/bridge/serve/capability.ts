// SPDX-License-Identifier: Apache-2.0
import { SEARCH_PARAMETERS } from './search.ts'

const TYPES: Readonly<Record<(typeof SEARCH_PARAMETERS)[number], string>> = {
  _id: 'token',
  _lastUpdated: 'date',
  patient: 'reference',
  subject: 'reference',
  code: 'token',
  category: 'token',
  date: 'date',
  status: 'token',
}
/** Types that are commonly exchanged; others are filed and served as well. */
const RESOURCES = [
  'AllergyIntolerance',
  'CarePlan',
  'Condition',
  'Device',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Immunization',
  'MedicationRequest',
  'Observation',
  'Organization',
  'Patient',
  'Practitioner',
  'Procedure',
]

/** Says exactly what this endpoint does, and nothing that it does not. */
export function capabilityStatement(base: string, date: string): object {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date,
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json'],
    implementation: { description: 'Ampere EHR bridge', url: base },
    software: { name: 'Ampere', version: '0.1.0' },
    rest: [
      {
        mode: 'server',
        documentation:
          'A search needs patient or subject. Parameters that are not listed are refused, unless Prefer: handling=lenient.',
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
        resource: RESOURCES.map((type) => ({
          type,
          versioning: 'versioned',
          readHistory: true,
          updateCreate: true,
          interaction: ['read', 'vread', 'update', 'create', 'delete', 'history-instance', 'search-type'].map(
            (code) => ({ code }),
          ),
          searchParam: SEARCH_PARAMETERS.map((name) => ({ name, type: TYPES[name] })),
          ...(type === 'Patient'
            ? {
                operation: [
                  {
                    name: 'everything',
                    definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything',
                  },
                ],
              }
            : {}),
        })),
      },
    ],
  }
}
