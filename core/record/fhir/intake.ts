// SPDX-License-Identifier: Apache-2.0
import type { IntakeItem, Issue } from './model.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError, isAmpereError, type ErrorCode } from '../../errors.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import type { EntryHeader } from '../entry.ts'
import { locateJson, type JsonNode } from '../json-source.ts'
import type { LabelPolicy } from '../labels/label.ts'
import { foreignPatients, indexReferences, type ReferenceIndex } from './references.ts'
import { draftOf, parseResource, textOf, type IntakeContext } from './resource.ts'
import type { Validator } from './validate.ts'

/** A resource that cannot be filed as it is, kept with the reason. */
export interface QuarantinedItem {
  readonly position: number
  readonly code: ErrorCode
  readonly issues: readonly Issue[]
  readonly text: string
}

/** What came of one message. One bad resource never loses the others. */
export interface Intake {
  readonly bundleType: string | null
  readonly items: readonly IntakeItem[]
  readonly quarantined: readonly QuarantinedItem[]
  /** Logical ids of the Patient resources. */
  readonly patients: readonly string[]
  readonly references: ReferenceIndex
  /** References that lead nowhere within the message; they may be known from earlier ones. */
  readonly dangling: readonly { readonly position: number; readonly expression: string }[]
}

/** What an intake needs from its caller. */
export interface IntakeOptions {
  readonly source: string
  readonly received: Timestamp
  readonly policy: LabelPolicy
  readonly validator: Validator
}

/** Bundle types that are read. A `document` or `message` has rules of its own. */
const BUNDLE_TYPES = ['transaction', 'batch', 'collection', 'searchset', 'history']

interface Located {
  readonly position: number
  readonly text: string
  readonly fullUrl: string | null
  readonly request: IntakeItem['request']
}

/**
 * Reads a Bundle or a single resource.
 * @throws AmpereError JSON_MALFORMED, ENCODING_MALFORMED, RESOURCE_MALFORMED when nothing of it can be read
 */
export function readFhirJson(bytes: Uint8Array, options: IntakeOptions): Intake {
  const text = textOf(bytes)
  const root = locateJson(text)
  const type = memberText(text, root, 'resourceType')
  const context = contextOf(bytes, options, 'fhir+json')
  if (type !== 'Bundle')
    return collect([{ position: 0, text, fullUrl: null, request: null }], null, context, options)
  const bundleType = memberText(text, root, 'type')
  if (!BUNDLE_TYPES.includes(bundleType)) {
    throw new AmpereError('RESOURCE_MALFORMED', `a Bundle is not one of ${BUNDLE_TYPES.join(', ')}`)
  }
  const entries = root.members?.get('entry')?.items ?? []
  const located = entries.flatMap((entry, position) => locateEntry(text, entry, position))
  return collect(located, bundleType, context, options)
}

/** Reads newline-delimited JSON; a line that is not JSON goes to quarantine under its number. */
export function readNdjson(bytes: Uint8Array, options: IntakeOptions): Intake {
  const lines = textOf(bytes).split('\n')
  const located = lines.flatMap((line, i) =>
    line.trim() === '' ? [] : [{ position: i + 1, text: line.trim(), fullUrl: null, request: null }],
  )
  return collect(located, null, contextOf(bytes, options, 'fhir+ndjson'), options)
}

function contextOf(
  bytes: Uint8Array,
  options: IntakeOptions,
  format: EntryHeader['origin']['format'],
): IntakeContext {
  const { source, received, policy } = options
  return { source, received, policy, format, hash: digestOf(bytes) }
}

function collect(
  located: readonly Located[],
  bundleType: string | null,
  context: IntakeContext,
  options: IntakeOptions,
): Intake {
  const items: IntakeItem[] = []
  const quarantined: QuarantinedItem[] = []
  for (const one of located) {
    const result = readOne(one, context, options)
    if ('draft' in result) items.push(result)
    else quarantined.push(result)
  }
  const references = indexReferences(items)
  const foreign = foreignPatients(items, references)
  const kept = items.filter((item) => !foreign.includes(item))
  for (const item of foreign) {
    quarantined.push(
      quarantine(
        item.position,
        'RESOURCE_MALFORMED',
        'the resource names another patient',
        textAt(located, item.position),
      ),
    )
  }
  const dangling = kept.flatMap((item) =>
    references.danglingIn(item).map((expression) => ({ position: item.position, expression })),
  )
  const patients = kept
    .filter((item) => item.resource.resourceType === 'Patient')
    .map((item) => item.draft.header.id)
  return {
    bundleType,
    items: kept,
    quarantined: quarantined.toSorted((a, b) => a.position - b.position),
    patients,
    references,
    dangling,
  }
}

function readOne(one: Located, context: IntakeContext, options: IntakeOptions): IntakeItem | QuarantinedItem {
  try {
    locateJson(one.text)
    const resource = parseResource(one.text)
    const issues = options.validator.validate(resource)
    if (issues.some((issue) => issue.severity === 'error')) {
      return { position: one.position, code: 'RESOURCE_MALFORMED', issues, text: one.text }
    }
    const fallbackId = one.fullUrl?.startsWith('urn:uuid:')
      ? one.fullUrl.slice('urn:uuid:'.length)
      : undefined
    const draft = draftOf(resource, one.text, context, fallbackId === undefined ? {} : { fallbackId })
    return { position: one.position, resource, draft, request: one.request, fullUrl: one.fullUrl }
  } catch (error) {
    if (isAmpereError(error)) return quarantine(one.position, error.code, error.message, one.text)
    throw error
  }
}

function quarantine(position: number, code: ErrorCode, diagnostics: string, text: string): QuarantinedItem {
  return {
    position,
    code,
    issues: [{ severity: 'error', code: 'structure', expression: '', diagnostics }],
    text,
  }
}

function locateEntry(text: string, entry: JsonNode, position: number): Located[] {
  const resource = entry.members?.get('resource')
  const request = entry.members?.get('request')
  const fullUrl = entry.members?.get('fullUrl')
  if (!resource) return []
  const parse = (node: JsonNode): unknown => JSON.parse(text.slice(node.start, node.end))
  return [
    {
      position,
      text: text.slice(resource.start, resource.end),
      fullUrl: fullUrl ? String(parse(fullUrl)) : null,
      request: request ? (parse(request) as IntakeItem['request']) : null,
    },
  ]
}

function memberText(text: string, node: JsonNode, name: string): string {
  const member = node.members?.get(name)
  return member ? String(JSON.parse(text.slice(member.start, member.end))) : ''
}

function textAt(located: readonly Located[], position: number): string {
  return located.find((one) => one.position === position)?.text ?? ''
}
