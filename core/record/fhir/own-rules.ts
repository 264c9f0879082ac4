// SPDX-License-Identifier: Apache-2.0
import type { FhirResource, Issue } from './model.ts'

/** dateTime, date and instant of FHIR R4: a time of day needs seconds and a zone. */
const DATE_TIME = /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?)?)?$/
const ACTIVE_CONTENT = /<\s*(script|iframe|object|embed|form|link|meta|base)\b|\son[a-z]+\s*=|javascript:/i

/** What structure definitions and the JSON schema both let pass. */
export function checkOwnRules(
  resource: FhirResource,
  targets: Readonly<Record<string, readonly string[]>>,
): Issue[] {
  const issues: Issue[] = []
  const add = (code: Issue['code'], expression: string, diagnostics: string) =>
    issues.push({ severity: 'error', code, expression, diagnostics })
  if (resource.id !== undefined && !/^[A-Za-z0-9.-]{1,64}$/.test(resource.id)) {
    add('value', `${resource.resourceType}.id`, 'an id is 1 to 64 of A-Z a-z 0-9 - .')
  }
  checkNarrative(resource, add)
  checkContained(resource, add)
  walk(resource, resource.resourceType, targets, add)
  return issues
}

type Add = (code: Issue['code'], expression: string, diagnostics: string) => void

function walk(
  value: unknown,
  path: string,
  targets: Readonly<Record<string, readonly string[]>>,
  add: Add,
): void {
  if (value === '') add('value', path, 'a value is empty')
  if (Array.isArray(value)) {
    if (value.length === 0) add('structure', path, 'an array is empty')
    for (const item of value) walk(item, path, targets, add)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const members = Object.entries(value)
  if (members.length === 0) add('structure', path, 'an object is empty')
  checkChoices(Object.keys(value), path, add)
  checkReference(value, path, targets, add)
  for (const [name, member] of members) {
    if (typeof member === 'string' && DATE_NAMES.test(name) && !DATE_TIME.test(member)) {
      add('value', `${path}.${name}`, 'a date or time is not of the FHIR form, or lacks its zone')
    }
    if (name !== 'contained') walk(member, `${path}.${name}`, targets, add)
  }
}

/** Members that hold a date, dateTime or instant, in whatever type they are. */
const DATE_NAMES = /DateTime$|^(date|issued|recorded|authoredOn|start|end|onset|birthDate|lastUpdated)$/
const CHOICE_TYPES =
  /^(value|effective|onset|abatement|deceased|performed|medication|occurrence|multipleBirth)(Quantity|CodeableConcept|String|Boolean|Integer|Range|Ratio|SampledData|Time|DateTime|Period|Timing|Instant|Age|Reference|Date|Code|Uri|Decimal)$/

function checkChoices(names: readonly string[], path: string, add: Add): void {
  const used = names.flatMap((name) => CHOICE_TYPES.exec(name)?.[1] ?? [])
  if (used.length < 2) return
  for (const choice of new Set(used)) {
    if (used.indexOf(choice) !== used.lastIndexOf(choice))
      add('structure', `${path}.${choice}[x]`, 'more than one type of a choice is given')
  }
}

function checkReference(
  value: object,
  path: string,
  targets: Readonly<Record<string, readonly string[]>>,
  add: Add,
): void {
  const { reference } = value as { reference?: unknown }
  if (typeof reference !== 'string') return
  const allowed = targets[path]
  const type = /^([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}/.exec(reference)?.[1]
  if (!allowed || type === undefined || allowed.includes('Resource') || allowed.includes(type)) return
  add('structure', `${path}.reference`, 'the reference leads to a type that is not allowed here')
}

function checkNarrative(resource: FhirResource, add: Add): void {
  const text = resource['text'] as { div?: unknown } | undefined
  if (typeof text?.div === 'string' && ACTIVE_CONTENT.test(text.div)) {
    add('value', `${resource.resourceType}.text.div`, 'a narrative has active content')
  }
}

/** dom-3: what is contained is referred to from the resource around it. */
function checkContained(resource: FhirResource, add: Add): void {
  const contained = resource['contained']
  if (!Array.isArray(contained)) return
  const text = JSON.stringify(resource)
  for (const item of contained as { id?: unknown }[]) {
    const refersOut = JSON.stringify(item).includes('"#"')
    if (typeof item.id === 'string' && !text.includes(`"#${item.id}"`) && !refersOut) {
      add('invariant', `${resource.resourceType}.contained`, 'Constraint dom-3')
    }
  }
}
