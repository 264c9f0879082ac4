// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes, canonicalize, parseCanonical } from '../bytes/canonical-json.ts'
import { fromBase64url, toBase64url, utf8 } from '../bytes/encoding.ts'
import type { Digest } from '../bytes/ids.ts'
import { parseWith } from '../bytes/schema.ts'
import { sha256 } from '../crypto/hash.ts'
import { AmpereError } from '../errors.ts'
import { leafHash, nodeHash } from '../log/merkle.ts'
import { recordKey, recordSchema, type RegistryRecord } from './records.ts'

/** Buckets of the state: the first 12 bits of SHA-256 of a record's key choose one. Part of the format. */
export const BUCKETS = 4096
const DEPTH = 12

/** All records in force, immutable. `levels[0]` holds the bucket hashes, `levels[12]` the root. */
export interface RegistryState {
  readonly buckets: ReadonlyMap<number, readonly RegistryRecord[]>
  readonly levels: readonly (readonly Uint8Array[])[]
}

/** Proof that a record is, or is not, in the state with a given root. */
export interface RecordProof {
  /** Canonical JSON of the whole bucket: its records sorted by key. */
  readonly bucket: string
  /** The 12 sibling hashes from the bucket up, base64url. */
  readonly hashes: readonly string[]
}

/** A state without records, made once: states are never changed in place. */
export function emptyState(): RegistryState {
  return (EMPTY.state ??= makeEmpty())
}

const EMPTY: { state: RegistryState | null } = { state: null }

function makeEmpty(): RegistryState {
  const empty = bucketHash([])
  const levels: Uint8Array[][] = [Array.from({ length: BUCKETS }, () => empty)]
  for (let level = 0; level < DEPTH; level++) levels.push(levelAbove(levels[level] ?? []))
  return { buckets: new Map(), levels }
}

/** The state with records put in place; only the paths above changed buckets are hashed again. */
export function putRecords(state: RegistryState, records: readonly RegistryRecord[]): RegistryState {
  const buckets = new Map(state.buckets)
  const levels = state.levels.map((level) => [...level])
  for (const record of records) {
    const key = recordKey(record)
    const index = bucketIndex(key)
    const rest = (buckets.get(index) ?? []).filter((other) => recordKey(other) !== key)
    const bucket = [...rest, record].toSorted((a, b) => (recordKey(a) < recordKey(b) ? -1 : 1))
    buckets.set(index, bucket)
    rehash(levels, index, bucket)
  }
  return { buckets, levels }
}

/** A record by key, or null. */
export function getRecord(state: RegistryState, key: string): RegistryRecord | null {
  return state.buckets.get(bucketIndex(key))?.find((record) => recordKey(record) === key) ?? null
}

/** All records, in no order that means anything. */
export function* recordsIn(state: RegistryState): Generator<RegistryRecord, void> {
  for (const bucket of state.buckets.values()) yield* bucket
}

/** RFC 6962 root of the bucket hashes: what a registry block's `state` holds. */
export function stateRoot(state: RegistryState): Digest {
  return toBase64url(state.levels[DEPTH]?.[0] ?? new Uint8Array(0)) as Digest
}

/** Proves what the state says of a key. */
export function proveRecord(state: RegistryState, key: string): RecordProof {
  const index = bucketIndex(key)
  const hashes: string[] = []
  for (let level = 0; level < DEPTH; level++) {
    hashes.push(toBase64url(state.levels[level]?.[Math.floor(index / 2 ** level) ^ 1] ?? new Uint8Array(0)))
  }
  return { bucket: canonicalize(state.buckets.get(index) ?? []), hashes }
}

/**
 * Checks a proof against a root that is already trusted.
 * @returns the record, or null when its absence is proved
 * @throws AmpereError PROOF_INVALID
 */
export function verifyRecordProof(proof: RecordProof, key: string, root: Digest): RegistryRecord | null {
  if (proof.hashes.length !== DEPTH) throw invalid('the proof does not have 12 hashes')
  let at = bucketIndex(key)
  let hash: Uint8Array = leafHash(utf8(proof.bucket))
  for (const other of proof.hashes.map(decodeHash)) {
    hash = at % 2 === 0 ? nodeHash(hash, other) : nodeHash(other, hash)
    at = Math.floor(at / 2)
  }
  if (toBase64url(hash) !== root) throw invalid('the proof leads to another root')
  const bucket = parseCanonical(utf8(proof.bucket))
  if (!Array.isArray(bucket)) throw invalid('the bucket is not a list')
  const records = bucket.map((item) => parseWith(recordSchema, item, 'PROOF_INVALID', 'record'))
  return records.find((record) => recordKey(record) === key) ?? null
}

function decodeHash(text: string): Uint8Array {
  try {
    const hash = fromBase64url(text)
    if (hash.length === 32) return hash
  } catch (cause) {
    throw new AmpereError('PROOF_INVALID', 'a hash of the proof is not base64url', { cause })
  }
  throw invalid('a hash of the proof is not 32 bytes')
}

/** The bucket that a record's key belongs to. */
export function bucketIndex(key: string): number {
  const hash = sha256(utf8(key))
  return ((hash[0] ?? 0) << 4) | ((hash[1] ?? 0) >> 4)
}

function bucketHash(records: readonly RegistryRecord[]): Uint8Array {
  return leafHash(canonicalBytes(records))
}

function rehash(levels: Uint8Array[][], index: number, bucket: readonly RegistryRecord[]): void {
  const leaves = levels[0]
  if (leaves) leaves[index] = bucketHash(bucket)
  for (let level = 1, at = index >> 1; level <= DEPTH; level++, at >>= 1) {
    const below = levels[level - 1] ?? []
    const [left, right] = [below[at * 2], below[at * 2 + 1]]
    const here = levels[level]
    if (here && left && right) here[at] = nodeHash(left, right)
  }
}

function levelAbove(level: readonly Uint8Array[]): Uint8Array[] {
  const [left, right] = level
  // Every node of a level is equal while all buckets are empty.
  const node = left && right ? nodeHash(left, right) : new Uint8Array(0)
  return Array.from({ length: level.length / 2 }, () => node)
}

function invalid(what: string): AmpereError {
  return new AmpereError('PROOF_INVALID', what)
}
