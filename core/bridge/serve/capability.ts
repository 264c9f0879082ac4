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
/** Types by whether they can be about a patient: only those are searched, inside one patient's record. */
export interface ServedTypes {
  readonly patientTypes: readonly string[]
  readonly otherTypes: readonly string[]
}

/** Says exactly what this endpoint does, and nothing that it does not. */
export function capabilityStatement(
  base: string,
  date: string,
  types: ServedTypes,
  security: object,
): object {
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
        documentation: DOCUMENTATION,
        security,
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
        resource: [
          ...types.patientTypes.map((type) => typeEntry(type, true)),
          ...types.otherTypes.map((type) => typeEntry(type, false)),
          PROVENANCE,
        ],
      },
    ],
  }
}

const DOCUMENTATION = [
  'Entries of a transaction or batch are POST or PUT with a resource, about one patient, without conditions.',
  'A search needs patient or subject. Parameters that are not listed are refused, unless Prefer: handling=lenient.',
  'If-Match is honoured by update and delete. Provenance is made here and cannot be written.',
].join(' ')

function typeEntry(type: string, isSearched: boolean): object {
  const codes = ['read', 'vread', 'update', 'create', 'delete', 'history-instance']
  return {
    type,
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: false,
    conditionalUpdate: false,
    interaction: [...codes, ...(isSearched ? ['search-type'] : [])].map((code) => ({ code })),
    ...(isSearched ? { searchParam: SEARCH_PARAMETERS.map((name) => ({ name, type: TYPES[name] })) } : {}),
    ...(type === 'Patient' ? { operation: [EVERYTHING] } : {}),
  }
}

const EVERYTHING = {
  name: 'everything',
  definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything',
  documentation:
    'Understands _count, _type and _since. Needs the scope system/Patient.r; resources of types that the token may not search are left out, and the Bundle says so.',
}

const PROVENANCE = {
  type: 'Provenance',
  interaction: [{ code: 'search-type' }],
  searchParam: [{ name: 'target', type: 'reference' }],
}
