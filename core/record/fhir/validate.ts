// SPDX-License-Identifier: Apache-2.0
import type { FhirResource, Issue } from './model.ts'
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core'
import { Ajv, type ErrorObject } from 'ajv'
import { checkOwnRules } from './own-rules.ts'
import { PATIENT_ELEMENTS } from './references.ts'

/** What validation knows of FHIR R4; parsed from fhir-definitions/r4.json.gz. */
export interface Definitions {
  readonly version: string
  readonly structures: readonly { readonly name: string; readonly kind: string; readonly type: string }[]
  readonly targets: Readonly<Record<string, readonly string[]>>
  readonly schema: { readonly definitions: Readonly<Record<string, unknown>> }
}

export interface Validator {
  validate(resource: FhirResource): readonly Issue[]
  /** Resource types of FHIR R4 that can be about a patient, the patient's own first; sorted. */
  readonly patientTypes: readonly string[]
  /** The other resource types that are filed: who and where, definitions, documents; sorted. */
  readonly otherTypes: readonly string[]
}

/** Types that carry a request or an answer, or act on a server; they are no part of a record. */
const NOT_FILED: readonly string[] = [
  'Bundle',
  'CapabilityStatement',
  'DomainResource',
  'OperationOutcome',
  'Parameters',
  'Provenance',
  'Resource',
  'Subscription',
]

/** Issues that one resource is answered with, at most. */
const MAX_ISSUES = 20
/** Elements that extensions of the JSON format allow and the JSON schema does not know: `_questionnaire`. */
const ALLOWED_EXTRA = /^\/?.*_questionnaire$/

/**
 * Validates R4 in three layers, each of which misses what the others find: structure definitions with their
 * invariants (Medplum), the JSON schema with its enumerations (AJV, compiled per type on first use), and rules
 * of our own for what both miss. Definitions are indexed when the first resource comes: a bridge that only reads
 * needs none.
 */
export function createValidator(definitions: Definitions): Validator {
  let isIndexed = false
  const types = new Set(
    definitions.structures.filter((item) => item.kind === 'resource').map((item) => item.type),
  )
  const patientTypes = [
    'Patient',
    ...[...types].filter((type) => isAboutPatient(type, definitions)).toSorted(),
  ]
  const compiled = new Map<string, Validate>()
  const ajv = new Ajv({ strict: false, logger: false, allErrors: false, validateFormats: false })
  const schemaFor = (type: string): Validate => {
    const known = compiled.get(type)
    if (known) return known
    const made = ajv.compile({ $ref: `#/definitions/${type}`, definitions: closure(definitions, type) })
    compiled.set(type, made)
    return made
  }
  return {
    patientTypes,
    otherTypes: [...types]
      .filter((type) => !patientTypes.includes(type) && !NOT_FILED.includes(type))
      .toSorted(),
    validate: (resource) => {
      const type = resource.resourceType
      if (!types.has(type)) {
        return [
          {
            severity: 'error',
            code: 'not-supported',
            expression: '',
            diagnostics: 'not a resource type of FHIR R4',
          },
        ]
      }
      if (!isIndexed) indexStructures(definitions)
      isIndexed = true
      const issues = [
        ...checkOwnRules(resource, definitions.targets),
        ...bySchema(schemaFor(type), resource),
        ...byStructure(resource),
      ]
      return issues.slice(0, MAX_ISSUES)
    },
  }
}

/** Has an element by which `patientReference` finds the patient. */
function isAboutPatient(type: string, { targets }: Definitions): boolean {
  const allowed = PATIENT_ELEMENTS.flatMap((element) => targets[`${type}.${element}`] ?? [])
  return allowed.includes('Patient') || allowed.includes('Resource')
}

/** AJV's compiled function, without its type guard. */
interface Validate {
  (value: unknown): unknown
  errors?: readonly ErrorObject[] | null
}

function indexStructures(definitions: Definitions): void {
  const entry = definitions.structures.map((resource) => ({ resource }))
  indexStructureDefinitionBundle({ resourceType: 'Bundle', type: 'collection', entry })
}

/** The schema definitions that a type needs, and no others: compiling all of them takes seconds. */
function closure(definitions: Definitions, type: string): Record<string, unknown> {
  const all = definitions.schema.definitions
  const needed = new Map<string, unknown>()
  const visit = (name: string): void => {
    if (needed.has(name) || !(name in all)) return
    // Contained resources are validated by their own type; a full list would pull in every type.
    if (name === 'ResourceList') {
      needed.set(name, {})
      return
    }
    needed.set(name, all[name])
    for (const match of JSON.stringify(all[name]).matchAll(/#\/definitions\/([A-Za-z0-9_]+)/g))
      visit(match[1] ?? '')
  }
  visit(type)
  return Object.fromEntries(needed)
}

function bySchema(validate: Validate, resource: FhirResource): Issue[] {
  if (validate(resource) === true) return []
  return (validate.errors ?? [])
    .filter((error) => !ALLOWED_EXTRA.test(String(error.params['additionalProperty'] ?? '')))
    .map((error) => ({
      severity: 'error' as const,
      code:
        error.keyword === 'enum' || error.keyword === 'const'
          ? ('code-invalid' as const)
          : ('structure' as const),
      expression: `${resource.resourceType}${error.instancePath.replaceAll('/', '.')}`,
      diagnostics: `JSON schema: ${error.keyword}`,
    }))
}

function byStructure(resource: FhirResource): Issue[] {
  try {
    validateResource(resource)
    return []
  } catch (error) {
    const outcome = (error as { outcome?: { issue?: readonly MedplumIssue[] } }).outcome
    if (!outcome?.issue) throw error
    return outcome.issue
      .filter((issue) => issue.severity === 'error' || issue.severity === 'fatal')
      .map((issue) => ({
        severity: 'error' as const,
        code: issue.code === 'invariant' ? ('invariant' as const) : ('structure' as const),
        expression: issue.expression?.[0] ?? '',
        // Its text may quote a value; the invariant's key does not.
        diagnostics:
          /Constraint ([a-z]{2,4}-\d+)/.exec(issue.details?.text ?? '')?.[0] ?? 'structure definition',
      }))
  }
}

interface MedplumIssue {
  readonly severity?: string
  readonly code?: string
  readonly expression?: readonly string[]
  readonly details?: { readonly text?: string }
}
