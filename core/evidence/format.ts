// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical, type Json } from '../bytes/canonical-json.ts'
import { isBase64url } from '../bytes/encoding.ts'
import { bytesOf, count, digest, parseWith } from '../bytes/schema.ts'
import { LEAF_BYTES } from '../block/leaf.ts'
import { MAX_JWS_BYTES } from '../block/jws.ts'
import { AmpereError } from '../errors.ts'
import { MAX_NOTE_BYTES } from '../log/note/note.ts'
import { MAX_TLOG_PROOF_BYTES } from '../log/tlog-proof.ts'

/** Bytes of an evidence file. */
export const MAX_EVIDENCE_BYTES = 16 * 1024 * 1024
/** Log entries that one file may carry, for `promise`. */
export const MAX_EVIDENCE_ENTRIES = 65_536
/** Bytes of a leaf that is no log entry: what a bundle can hold (c2sp.org/tlog-tiles). */
export const MAX_LEAF_BYTES = 65_535
/** Blocks between two heads of one chain that one file may carry. */
export const MAX_LINKS = 512
/** Verifier keys of a log that one file may carry. */
export const MAX_LOG_KEYS = 8
/** Blocks of a registry that one file may carry. */
export const MAX_REGISTRY_BLOCKS = 1024

const jws = v.pipe(v.string(), v.maxLength(MAX_JWS_BYTES))
const note = v.pipe(v.string(), v.maxLength(MAX_NOTE_BYTES))
const receipt = v.pipe(v.string(), v.maxLength(MAX_TLOG_PROOF_BYTES))
const hash = bytesOf(32)
const leaf = v.pipe(
  v.string(),
  v.maxLength(Math.ceil((MAX_LEAF_BYTES * 4) / 3)),
  v.check(isBase64url, 'not base64url'),
)
const hashes = v.pipe(v.array(hash), v.maxLength(64))
const two = <S extends v.GenericSchema>(item: S) => v.strictTuple([item, item])

const origin = v.pipe(v.string(), v.minLength(1), v.maxLength(255))
const registry = v.strictObject({
  id: digest,
  blocks: v.pipe(v.array(jws), v.minLength(1), v.maxLength(MAX_REGISTRY_BLOCKS)),
})
const log = v.pipe(v.array(v.pipe(v.string(), v.maxLength(4096))), v.minLength(1), v.maxLength(MAX_LOG_KEYS))
const ampere = v.literal('evidence/v1')

const contradiction = v.variant('how', [
  v.strictObject({ how: v.literal('root') }),
  v.strictObject({ how: v.literal('prefix'), hashes }),
  v.strictObject({ how: v.literal('leaf'), index: count, leaves: two(hash), proofs: two(hashes) }),
])

const evidenceSchema = v.variant('kind', [
  v.strictObject({
    ampere,
    kind: v.literal('heads'),
    origin,
    registry,
    statements: two(jws),
    links: v.pipe(v.array(jws), v.maxLength(MAX_LINKS)),
  }),
  v.strictObject({
    ampere,
    kind: v.literal('checkpoints'),
    origin,
    log,
    notes: two(note),
    contradiction,
  }),
  v.strictObject({
    ampere,
    kind: v.literal('blocks'),
    origin,
    log,
    blocks: two(jws),
    receipts: two(receipt),
  }),
  v.strictObject({ ampere, kind: v.literal('order'), origin, log, blocks: two(jws), receipts: two(receipt) }),
  v.strictObject({
    ampere,
    kind: v.literal('labels'),
    origin,
    log,
    entries: two(bytesOf(LEAF_BYTES)),
    receipts: two(receipt),
  }),
  v.strictObject({ ampere, kind: v.literal('leaf-form'), origin, log, entry: leaf, receipt }),
  v.strictObject({
    ampere,
    kind: v.literal('promise'),
    origin,
    registry,
    log,
    head: jws,
    block: jws,
    /** The block before and the control state after it, which name the label key; null for a genesis. */
    parent: v.nullable(v.strictObject({ block: jws, state: v.string() })),
    labelKey: hash,
    /** Where the entries begin; null for the first leaf. */
    from: v.nullable(v.strictObject({ note, frontier: hashes })),
    to: note,
    entries: v.pipe(v.array(bytesOf(LEAF_BYTES)), v.maxLength(MAX_EVIDENCE_ENTRIES)),
  }),
])

/** An evidence file as it is written down (docs/PROTOCOL.md, Evidence). Nothing in it is believed before it is verified. */
export type Evidence = v.InferOutput<typeof evidenceSchema>
/** What an evidence file can show; a closed set. */
export type EvidenceKind = Evidence['kind']
/** Evidence of one kind. */
export type EvidenceOf<K extends EvidenceKind> = Extract<Evidence, { readonly kind: K }>

/**
 * Reads an evidence file: one canonical JSON object, so that one piece of evidence has one spelling and one name.
 * @throws AmpereError EVIDENCE_MALFORMED
 */
export function parseEvidence(bytes: Uint8Array): Evidence {
  if (bytes.length > MAX_EVIDENCE_BYTES)
    throw new AmpereError('EVIDENCE_MALFORMED', `evidence is larger than ${MAX_EVIDENCE_BYTES} bytes`)
  return parseWith(evidenceSchema, jsonOf(bytes), 'EVIDENCE_MALFORMED', 'evidence')
}

/** The bytes of an evidence file. @throws AmpereError EVIDENCE_MALFORMED for what would not be read back */
export function formatEvidence(evidence: Evidence): Uint8Array {
  const bytes = canonicalBytes(evidence)
  parseEvidence(bytes)
  return bytes
}

function jsonOf(bytes: Uint8Array): Json {
  try {
    return parseCanonical(bytes)
  } catch (cause) {
    throw new AmpereError('EVIDENCE_MALFORMED', 'evidence is not canonical JSON', { cause })
  }
}
