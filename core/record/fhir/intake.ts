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
  /** Entries that ask for something without bringing a resource, such as DELETE and GET. */
  readonly requests: readonly BareRequest[]
  /** References that lead nowhere within the message; they may be known from earlier ones. */
  readonly dangling: readonly { readonly position: number; readonly expression: string }[]
}

/** A bundle entry without a resource. */
export interface BareRequest {
  readonly position: number
  readonly method: string
}

/** What an intake needs from its caller. */
export interface IntakeOptions {
  /** A new logical id, for resources that a transaction or batch creates without one. */
  readonly newId: () => string
  readonly source: string
  readonly received: Timestamp
  readonly policy: LabelPolicy
  readonly validator: Validator
}

/** Entries of one Bundle: even empty ones take their time, and all of a Bundle is in memory at once. */
export const MAX_BUNDLE_ENTRIES = 100_000
/** Bundle types that are read. A `document` or `message` has rules of its own. */
const BUNDLE_TYPES = ['transaction', 'batch', 'collection', 'searchset', 'history']

interface Located {
  readonly position: number
  readonly text: string
  readonly fullUrl: string | null
  readonly request: IntakeItem['request']
  /** The scanner went over the text: no duplicate keys, no numbers that readers take differently. */
  readonly isScanned: boolean
  readonly hasId: boolean
  readonly assignedId?: string
}

/**
 * Reads a Bundle or a single resource.
 * @throws AmpereError JSON_MALFORMED, ENCODING_MALFORMED, RESOURCE_MALFORMED, TOO_LARGE when nothing of it can be read
 */
export function readFhirJson(bytes: Uint8Array, options: IntakeOptions): Intake {
  const text = textOf(bytes)
  const root = locateJson(text)
  const type = memberText(text, root, 'resourceType')
  if (type !== 'Bundle') return collect([single(text)], null, contextOf(bytes, options, 'fhir+json'), options)
  const bundleType = memberText(text, root, 'type')
  if (!BUNDLE_TYPES.includes(bundleType)) {
    throw new AmpereError('RESOURCE_MALFORMED', `a Bundle is not one of ${BUNDLE_TYPES.join(', ')}`)
  }
  const isCreating = bundleType === 'transaction' || bundleType === 'batch'
  const entries = root.members?.get('entry')?.items ?? []
  if (entries.length > MAX_BUNDLE_ENTRIES)
    throw new AmpereError('TOO_LARGE', `a Bundle has more than ${MAX_BUNDLE_ENTRIES} entries; send several`)
  const located = entries.map((entry, position) => locateEntry(text, entry, position))
  const identified = isCreating ? located.map((one) => withCreatedId(one, options)) : located
  return collect(identified, bundleType, contextOf(bytes, options, 'fhir+json'), options)
}

/** Reads one resource that is to be filed under `assignedId`, whatever its text says: a create assigns the id. */
export function readCreated(bytes: Uint8Array, assignedId: string, options: IntakeOptions): Intake {
  const text = textOf(bytes)
  locateJson(text)
  return collect([{ ...single(text), assignedId }], null, contextOf(bytes, options, 'fhir+json'), options)
}

function single(text: string): Located {
  return { position: 0, text, fullUrl: null, request: null, isScanned: true, hasId: true }
}

/**
 * A create assigns the id: the uuid by which the other entries call the resource, so that sending the message
 * again makes no second one; else the id in its text, else a new one.
 */
function withCreatedId(one: Located, options: IntakeOptions): Located {
  if (one.request?.method !== 'POST') return one
  const uuid = /^urn:uuid:([A-Za-z0-9.-]{1,64})$/.exec(one.fullUrl ?? '')?.[1]
  if (uuid !== undefined) return { ...one, assignedId: uuid }
  return one.hasId ? one : { ...one, assignedId: options.newId() }
}

/** Reads newline-delimited JSON; a line that is not UTF-8 or not JSON goes to quarantine under its number. */
export function readNdjson(bytes: Uint8Array, options: IntakeOptions): Intake {
  const unreadable: QuarantinedItem[] = []
  const located = linesOf(bytes).flatMap((line, i) => {
    if (line === null)
      unreadable.push(quarantine(i + 1, 'ENCODING_MALFORMED', 'the resource is not UTF-8', ''))
    const text = line?.trim() ?? ''
    return text === '' ? [] : [{ ...single(text), position: i + 1, isScanned: false }]
  })
  const intake = collect(located, null, contextOf(bytes, options, 'fhir+ndjson'), options)
  if (unreadable.length === 0) return intake
  const quarantined = [...intake.quarantined, ...unreadable].toSorted((a, b) => a.position - b.position)
  return { ...intake, quarantined }
}

/** The lines of a text; null for one that is not UTF-8. */
function linesOf(bytes: Uint8Array): (string | null)[] {
  const whole = textOrNull(bytes)
  if (whole !== null) return whole.split('\n')
  const lines: (string | null)[] = []
  for (let from = 0; from <= bytes.length;) {
    const end = bytes.indexOf(0x0a, from)
    const to = end === -1 ? bytes.length : end
    lines.push(textOrNull(bytes.subarray(from, to)))
    from = to + 1
  }
  return lines
}

function textOrNull(bytes: Uint8Array): string | null {
  try {
    return textOf(bytes)
  } catch (error) {
    if (isAmpereError(error, 'ENCODING_MALFORMED')) return null
    throw error
  }
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
  const requests: BareRequest[] = []
  for (const one of located) {
    if (one.text === '' && one.request) {
      requests.push({ position: one.position, method: one.request.method })
      continue
    }
    const result = readOne(one, context, options)
    if ('draft' in result) items.push(result)
    else quarantined.push(result)
  }
  const references = indexReferences(items)
  const foreign = new Set(foreignPatients(items, references))
  const kept = items.filter((item) => !foreign.has(item))
  const texts = new Map(located.map(({ position, text }) => [position, text]))
  for (const item of foreign) {
    quarantined.push(
      quarantine(
        item.position,
        'RESOURCE_MALFORMED',
        'the resource names another patient',
        texts.get(item.position) ?? '',
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
    requests,
    references,
    dangling,
  }
}

function readOne(one: Located, context: IntakeContext, options: IntakeOptions): IntakeItem | QuarantinedItem {
  try {
    if (!one.isScanned) locateJson(one.text)
    const resource = parseResource(one.text)
    const issues = options.validator.validate(resource)
    if (issues.some((issue) => issue.severity === 'error')) {
      return { position: one.position, code: 'RESOURCE_MALFORMED', issues, text: one.text }
    }
    const { fullUrl, assignedId } = one
    const draft = draftOf(resource, one.text, context, {
      fullUrl,
      ...(assignedId === undefined ? {} : { assignedId }),
    })
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

/** An entry's resource, with the empty text where it brings none. */
function locateEntry(text: string, entry: JsonNode, position: number): Located {
  const parse = (name: string): unknown => {
    const node = entry.members?.get(name)
    return node ? JSON.parse(text.slice(node.start, node.end)) : null
  }
  const resource = entry.members?.get('resource')
  const fullUrl = parse('fullUrl')
  return {
    position,
    text: resource ? text.slice(resource.start, resource.end) : '',
    fullUrl: typeof fullUrl === 'string' ? fullUrl : null,
    request: requestOf(parse('request')),
    isScanned: resource !== undefined,
    hasId: resource?.members?.has('id') ?? false,
  }
}

/** What an entry asks for; members that are no strings count as absent. */
function requestOf(value: unknown): IntakeItem['request'] {
  if (typeof value !== 'object' || value === null) return null
  const { method, url } = value as { method?: unknown; url?: unknown }
  const conditions = CONDITIONS.filter((name) => name in value)
  return {
    method: typeof method === 'string' ? method : '',
    url: typeof url === 'string' ? url : '',
    conditions,
  }
}

/** Members of Bundle.entry.request that make it conditional. */
const CONDITIONS = ['ifNoneMatch', 'ifModifiedSince', 'ifMatch', 'ifNoneExist'] as const

function memberText(text: string, node: JsonNode, name: string): string {
  const member = node.members?.get(name)
  return member ? String(JSON.parse(text.slice(member.start, member.end))) : ''
}
