// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../bytes/canonical-json.ts'
import { digest, entryId, parseWith, timestamp } from '../bytes/schema.ts'

/** Names of a record chain's compartments. A resource goes into exactly one. */
export const COMPARTMENTS = [
  'general',
  'mental-health',
  'substance-use',
  'hiv-sti',
  'reproductive',
  'genetic',
  'violence',
  'unclassified',
] as const
export type CompartmentName = (typeof COMPARTMENTS)[number]

const headerSchema = v.strictObject({
  v: v.literal(1),
  /** Institution whose system holds the resource. */
  source: v.pipe(v.string(), v.minLength(1), v.maxLength(63)),
  /** FHIR resource type. */
  type: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  /** The source's logical id. */
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  /** The name that other resources of its message may call it by (Bundle.entry.fullUrl), or null. */
  fullUrl: v.nullable(v.pipe(v.string(), v.maxLength(2048))),
  /** The source's version (meta.versionId), where it states one. */
  version: v.nullable(v.pipe(v.string(), v.maxLength(64))),
  /** The source's time of that version (meta.lastUpdated), in UTC. */
  time: v.nullable(timestamp),
  status: v.picklist(['current', 'corrected', 'entered-in-error', 'deleted']),
  supersedes: v.nullable(entryId),
  labels: v.array(v.picklist(COMPARTMENTS)),
  origin: v.strictObject({
    format: v.picklist(['fhir+json', 'fhir+ndjson']),
    /** SHA-256 of the whole message that the resource came in. */
    hash: digest,
    received: timestamp,
  }),
  media: v.pipe(v.string(), v.maxLength(100)),
})

/** What is sealed beside a resource's bytes: where it came from and what it is. */
export type EntryHeader = v.InferOutput<typeof headerSchema>

/** A resource that is ready to be sealed: its header, its exact bytes, and the compartment it goes to. */
export interface EntryDraft {
  readonly header: EntryHeader
  readonly content: Uint8Array
  readonly compartment: CompartmentName
}

/** The canonical bytes of a header. */
export function encodeHeader(header: EntryHeader): Uint8Array<ArrayBuffer> {
  return canonicalBytes(header)
}

/** @throws AmpereError RECORD_MALFORMED, JSON_MALFORMED */
export function parseHeader(bytes: Uint8Array): EntryHeader {
  return parseWith(headerSchema, parseCanonical(bytes), 'RECORD_MALFORMED', 'entry header')
}
