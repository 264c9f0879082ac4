// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from './model.ts'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import { toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import type { EntryDraft, EntryHeader } from '../entry.ts'
import { compartmentOf, type LabelPolicy } from '../labels/label.ts'

/** What an intake knows of the message that resources come in. */
export interface IntakeContext {
  readonly source: string
  readonly format: EntryHeader['origin']['format']
  readonly hash: Digest
  readonly received: Timestamp
  readonly policy: LabelPolicy
}

/** Text of a message; a byte order mark is dropped, anything that is not UTF-8 refused. @throws ENCODING_MALFORMED */
export function textOf(bytes: Uint8Array): string {
  const text = fromUtf8(bytes)
  return text.startsWith('\u{feff}') ? text.slice(1) : text
}

/** The resource in a text that was located before. @throws AmpereError RESOURCE_MALFORMED */
export function parseResource(text: string): FhirResource {
  const value = JSON.parse(text) as FhirResource | null
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('not an object')
  if (typeof value.resourceType !== 'string' || !/^[A-Z][A-Za-z]{1,63}$/.test(value.resourceType)) {
    throw malformed('no resourceType')
  }
  return value
}

/** What is known of a resource beside its text. */
export interface DraftGiven {
  /** The id that it is filed under whatever its text says: the one that a create assigns. */
  readonly assignedId?: string
  readonly fullUrl?: string | null
}

/** A draft of one resource with its exact text. @throws AmpereError RESOURCE_MALFORMED without a usable id */
export function draftOf(
  resource: FhirResource,
  text: string,
  context: IntakeContext,
  given: DraftGiven = {},
): EntryDraft {
  const id = given.assignedId ?? resource.id
  if (typeof id !== 'string' || !/^[A-Za-z0-9.-]{1,64}$/.test(id))
    throw malformed('no id, or one that FHIR does not allow')
  const meta = (resource['meta'] ?? {}) as { versionId?: unknown; lastUpdated?: unknown }
  const { compartment, labels } = compartmentOf(resource, context.policy)
  const header: EntryHeader = {
    v: 1,
    source: context.source,
    type: resource.resourceType,
    id,
    fullUrl: given.fullUrl ?? null,
    version: typeof meta.versionId === 'string' ? meta.versionId.slice(0, 64) : null,
    time: instantOf(meta.lastUpdated),
    status: statusOf(resource),
    supersedes: null,
    labels: [...labels],
    origin: { format: context.format, hash: context.hash, received: context.received },
    media: 'application/fhir+json',
  }
  return { header, content: utf8(text), compartment }
}

/** What the resource says of its own validity. */
export function statusOf(resource: FhirResource): EntryHeader['status'] {
  const verification = JSON.stringify(resource['verificationStatus'] ?? '')
  if (resource['status'] === 'entered-in-error' || verification.includes('"entered-in-error"'))
    return 'entered-in-error'
  return resource['status'] === 'corrected' || resource['status'] === 'amended' ? 'corrected' : 'current'
}

function instantOf(value: unknown): Timestamp | null {
  const ms = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? null : toTimestamp(ms)
}

function malformed(what: string): AmpereError {
  return new AmpereError('RESOURCE_MALFORMED', `resource: ${what}`)
}
