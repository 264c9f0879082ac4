// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from '../../record/fhir/model.ts'
import { AmpereError } from '../../errors.ts'
import { patientReference } from '../../record/fhir/references.ts'
import { shownVersion, type Projection, type ServedResource, type ServedVersion } from './projection.ts'

/** A resource that matches, in the version that is shown. */
export interface Hit {
  readonly resource: ServedResource
  readonly version: ServedVersion
}

/** Parameters that every type answers; the CapabilityStatement lists exactly these. */
export const SEARCH_PARAMETERS = [
  '_id',
  '_lastUpdated',
  'patient',
  'subject',
  'code',
  'category',
  'date',
  'status',
] as const
/** Parameters that shape the answer. */
const RESULT_PARAMETERS = ['_count', '_cursor', '_format']
/** Elements that hold a resource's clinical date, in the order in which they are looked for. */
const DATE_ELEMENTS = [
  'effectiveDateTime',
  'effectivePeriod',
  'performedDateTime',
  'performedPeriod',
  'occurrenceDateTime',
  'onsetDateTime',
  'authoredOn',
  'recordedDate',
  'period',
  'date',
  'created',
  'issued',
  'birthDate',
]

/** One search in one patient's record. */
export interface Search {
  readonly type: string
  readonly patientId: string
  readonly query: URLSearchParams
  /** Ignores parameters that are not understood (Prefer: handling=lenient) instead of refusing them. */
  readonly lenient: boolean
}

/**
 * Finds the current resources of one type that match.
 * @throws AmpereError UNSUPPORTED for a parameter that is not understood, REQUEST_MALFORMED
 */
export function search(projection: Projection, asked: Search): readonly Hit[] {
  const tests = [...asked.query].flatMap(([name, value]) => {
    if (RESULT_PARAMETERS.includes(name)) return []
    const test = testFor(name, value, asked.patientId)
    if (test) return [test]
    if (asked.lenient) return []
    throw new AmpereError('UNSUPPORTED', `search parameter ${parameterName(name)} is not supported`)
  })
  return shownHits(projection).filter(
    ({ resource, version }) => resource.type === asked.type && tests.every((test) => test(resource, version)),
  )
}

/** Everything of a patient: the current version of every resource, by `_type` and `_since` if asked. */
export function everything(projection: Projection, query: URLSearchParams, lenient: boolean): readonly Hit[] {
  const known = [...RESULT_PARAMETERS, '_type', '_since']
  const foreign = [...query.keys()].find((name) => !known.includes(name))
  if (foreign !== undefined && !lenient)
    throw new AmpereError('UNSUPPORTED', `parameter ${parameterName(foreign)} is not supported`)
  const types = query.get('_type')?.split(',')
  const since = query.get('_since')
  if (since !== null && Number.isNaN(Date.parse(since)))
    throw new AmpereError('REQUEST_MALFORMED', '_since is not an instant')
  return shownHits(projection).filter(
    ({ resource, version }) =>
      (types?.includes(resource.type) ?? true) &&
      (since === null || Date.parse(lastUpdated(version)) >= Date.parse(since)),
  )
}

function shownHits(projection: Projection): Hit[] {
  return [...projection.resources.values()].flatMap((resource) => {
    const version = shownVersion(resource)
    return version ? [{ resource, version }] : []
  })
}

function lastUpdated(version: ServedVersion): string {
  return version.header.time ?? version.entry.time
}

/** A name that may be repeated in an answer: anything else could be somebody's data in the wrong place. */
function parameterName(name: string): string {
  return /^[A-Za-z_:-]{1,40}$/.test(name) ? name : '(unreadable)'
}

type Test = (resource: ServedResource, version: ServedVersion) => boolean

function testFor(name: string, value: string, patientId: string): Test | null {
  const anyOf = (one: (option: string) => Test): Test => {
    const tests = value.split(',').map(one)
    return (resource, version) => tests.some((test) => test(resource, version))
  }
  switch (name) {
    case '_id':
      return anyOf((id) => (resource) => resource.id === id)
    case 'patient':
    case 'subject':
      return (_, version) => isAbout(version.resource) && value.replace(/^Patient\//, '') === patientId
    case 'code':
      return anyOf((token) => (_, version) => hasToken(codeOf(version.resource), token))
    case 'category':
      return anyOf((token) => (_, version) => hasToken(version.resource['category'], token))
    case 'status':
      return anyOf((token) => (_, version) => statusMatches(version.resource, token))
    case 'date':
      return (_, version) => dateMatches(dateOf(version.resource), value)
    case '_lastUpdated':
      return (_, version) => dateMatches(lastUpdated(version), value)
    default:
      return null
  }
}

/** Everything in a chain is about its patient, except who and where, which name nobody. */
function isAbout(resource: FhirResource): boolean {
  return resource.resourceType === 'Patient' || patientReference(resource) !== null
}

function codeOf(resource: FhirResource): unknown {
  return (
    resource['code'] ?? resource['medicationCodeableConcept'] ?? resource['vaccineCode'] ?? resource['type']
  )
}

/** `code`, `system|code`, `|code` (no system) or `system|`. */
function hasToken(value: unknown, token: string): boolean {
  const bar = token.indexOf('|')
  const system = bar < 0 ? null : token.slice(0, bar)
  const code = bar < 0 ? token : token.slice(bar + 1)
  return codings(value).some(
    (coding) =>
      (code === '' || coding.code === code) && (system === null || (coding.system ?? '') === system),
  )
}

function codings(value: unknown): { system?: string; code?: string }[] {
  if (Array.isArray(value)) return value.flatMap(codings)
  if (typeof value !== 'object' || value === null) return []
  const { coding } = value as { coding?: unknown }
  if (!Array.isArray(coding)) return []
  return coding.filter((one): one is object => typeof one === 'object' && one !== null)
}

function statusMatches(resource: FhirResource, token: string): boolean {
  if (resource['status'] === token) return true
  return hasToken(resource['clinicalStatus'], token)
}

/** The clinical date of a resource as its source wrote it, or null. */
export function dateOf(resource: FhirResource): string | null {
  for (const element of DATE_ELEMENTS) {
    const value = resource[element]
    if (typeof value === 'string') return value
    const start = (value as { start?: unknown } | undefined)?.start
    if (typeof start === 'string') return start
  }
  return null
}

const PREFIX = /^(eq|ge|gt|le|lt)?(\d{4}(?:-\d{2}(?:-\d{2}(?:T.+)?)?)?)$/

/** Compares as FHIR does: a date of less precision is the whole span that it names. */
function dateMatches(value: string | null, query: string): boolean {
  const match = PREFIX.exec(query)
  if (!match?.[2]) throw new AmpereError('REQUEST_MALFORMED', 'a date in the search is not of the FHIR form')
  if (value === null) return false
  const [from, to] = spanOf(match[2])
  const [start, end] = spanOf(value)
  switch (match[1] ?? 'eq') {
    case 'ge':
      return end > from
    case 'gt':
      return end > to
    case 'le':
      return start < to
    case 'lt':
      return start < from
    default:
      return start >= from && end <= to
  }
}

/** [start, end) of a partial date in ms since 1970. Dates without a zone are read as UTC. */
function spanOf(text: string): readonly [number, number] {
  const parts = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(T.+)?$/.exec(text)
  const [year, month, day] = [Number(parts?.[1]), Number(parts?.[2] ?? 1), Number(parts?.[3] ?? 1)]
  if (parts?.[4] !== undefined) {
    const at = Date.parse(text)
    return [at, at + 1]
  }
  const start = Date.UTC(year, month - 1, day)
  if (parts?.[3] !== undefined) return [start, start + 86_400_000]
  return [start, parts?.[2] !== undefined ? Date.UTC(year, month, 1) : Date.UTC(year + 1, 0, 1)]
}
