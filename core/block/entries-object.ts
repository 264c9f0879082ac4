// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../bytes/canonical-json.ts'
import { toBase64url, utf8 } from '../bytes/encoding.ts'
import { concat, uint32 } from '../bytes/frame.ts'
import type { CompartmentId, Digest, EntryId } from '../bytes/ids.ts'
import { compartmentId, count, digest, entryId, parseWith } from '../bytes/schema.ts'
import { sha256Large } from '../crypto/hash.ts'
import { AmpereError } from '../errors.ts'
import { MAX_ENTRIES } from './block.ts'

const MAGIC = utf8('ampere-object/v1\n')

const descriptorSchema = v.strictObject({
  v: v.literal(1),
  id: entryId,
  compartment: compartmentId,
  size: count,
  hash: digest,
})
const descriptorsSchema = v.pipe(v.array(descriptorSchema), v.minLength(1), v.maxLength(MAX_ENTRIES))

/** What is public of one entry: its place in the object and the hash of its ciphertext. */
export interface EntryDescriptor {
  readonly v: 1
  readonly id: EntryId
  readonly compartment: CompartmentId
  /** Bytes of the ciphertext. */
  readonly size: number
  readonly hash: Digest
}

/** Describes a ciphertext. */
export async function describe(
  id: EntryId,
  compartment: CompartmentId,
  ciphertext: Uint8Array,
): Promise<EntryDescriptor> {
  return {
    v: 1,
    id,
    compartment,
    size: ciphertext.length,
    hash: toBase64url(await sha256Large(ciphertext)) as Digest,
  }
}

/** The leaf of `entries.root` for a descriptor: its canonical bytes. */
export function descriptorLeaf(descriptor: EntryDescriptor): Uint8Array {
  return canonicalBytes(descriptor)
}

/** One block's entries as one object: magic, uint32 length, canonical descriptors, ciphertexts in order. */
export function packObject(
  descriptors: readonly EntryDescriptor[],
  ciphertexts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const head = canonicalBytes(descriptors)
  return concat(MAGIC, uint32(head.length), head, ...ciphertexts)
}

/** The descriptors at the head of an object. @throws AmpereError BLOCK_MALFORMED */
export function readDescriptors(object: Uint8Array): readonly EntryDescriptor[] {
  const start = MAGIC.length + 4
  if (object.length < start || !MAGIC.every((byte, i) => object[i] === byte))
    throw malformed('not an entries object')
  const length = new DataView(object.buffer, object.byteOffset).getUint32(MAGIC.length)
  if (object.length < start + length) throw malformed('shorter than its descriptors')
  try {
    return parseWith(
      descriptorsSchema,
      parseCanonical(object.subarray(start, start + length)),
      'BLOCK_MALFORMED',
      'descriptors',
    )
  } catch (cause) {
    throw malformed('descriptors are not well-formed', cause)
  }
}

/** Bytes [start, end) of an object that hold one entry's ciphertext. @throws RangeError for no such entry */
export function entryRange(
  descriptors: readonly EntryDescriptor[],
  index: number,
): { readonly start: number; readonly end: number } {
  const target = descriptors[index]
  if (!target) throw new RangeError('no such entry')
  let start = MAGIC.length + 4 + headBytes(descriptors)
  for (let i = 0; i < index; i++) start += descriptors[i]?.size ?? 0
  return { start, end: start + target.size }
}

/** Bytes of an object whose descriptors add up to `entries`, at most; what is behind them says nothing. */
export function maxObjectBytes(entries: { readonly count: number; readonly bytes: number }): number {
  const descriptor = DESCRIPTOR_BYTES + String(entries.bytes).length + 1
  return MAGIC.length + 4 + 2 + entries.count * descriptor + entries.bytes
}

/**
 * Bytes of the canonical descriptors. Added up, because serializing them for each of 4,096 entries takes
 * seconds: every member but `size` has a fixed length.
 */
function headBytes(descriptors: readonly EntryDescriptor[]): number {
  let bytes = 2 + descriptors.length - 1
  for (const { size } of descriptors) bytes += DESCRIPTOR_BYTES + String(size).length
  return bytes
}

/** Canonical bytes of a descriptor without the digits of its size; ids are 22 characters, the hash 43. */
const DESCRIPTOR_BYTES = '{"compartment":"","hash":"","id":"","size":,"v":1}'.length + 22 + 43 + 22

function malformed(what: string, cause?: unknown): AmpereError {
  return new AmpereError('BLOCK_MALFORMED', `entries object: ${what}`, { cause })
}
