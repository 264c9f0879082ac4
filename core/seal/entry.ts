// SPDX-License-Identifier: Apache-2.0
import { deflateSync, Inflate, inflateSync } from 'fflate'
import type { ChainId, CompartmentId, EntryId } from '../bytes/ids.ts'
import { concat, frame, uint32 } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'
import { decryptChunked, encryptChunked } from './chunked.ts'
import { pad, unpad } from './padding.ts'

/** Decompressed bytes of one entry, at most. Part of the format (docs/PROTOCOL.md, Limits). */
export const MAX_ENTRY_BYTES = 64 * 1024 * 1024
/** Level 6 of 9: on resources of 1 to 2 KB higher levels save nothing after padding. */
const DEFLATE_LEVEL = 6
const STORED = 0
const DEFLATED = 1

/** Where an entry belongs; part of its encryption context, so that it opens nowhere else. */
export interface EntryPlace {
  readonly chain: ChainId
  readonly id: EntryId
  readonly compartment: CompartmentId
  /** The entry's own random 32-byte key. */
  readonly dek: Uint8Array
}

/** Compresses, pads and encrypts one entry. `salt` is 24 random bytes, `dek` is used for nothing else. */
export async function sealEntry(
  entry: EntryPlace & {
    readonly salt: Uint8Array
    readonly header: Uint8Array
    readonly content: Uint8Array
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const plain = concat(uint32(entry.header.length), entry.header, entry.content)
  if (plain.length > MAX_ENTRY_BYTES) {
    throw new AmpereError('TOO_LARGE', `an entry is larger than ${MAX_ENTRY_BYTES} bytes`)
  }
  const deflated = deflateSync(plain, { level: DEFLATE_LEVEL })
  const body =
    deflated.length < plain.length
      ? concat(new Uint8Array([DEFLATED]), deflated)
      : concat(new Uint8Array([STORED]), plain)
  return encryptChunked(entry.dek, entry.salt, contextOf(entry), pad(body))
}

/** Opens one entry. @throws AmpereError OPEN_FAILED, whatever is wrong */
export async function openEntry(
  place: EntryPlace,
  ciphertext: Uint8Array,
): Promise<{ readonly header: Uint8Array; readonly content: Uint8Array }> {
  const body = unpad(await decryptChunked(place.dek, contextOf(place), ciphertext))
  const plain = plainOf(body)
  if (plain.length < 4 || plain.length > MAX_ENTRY_BYTES) throw failed()
  const length = new DataView(plain.buffer, plain.byteOffset).getUint32(0)
  if (plain.length < 4 + length) throw failed()
  return { header: plain.subarray(4, 4 + length), content: plain.subarray(4 + length) }
}

/** What the flag byte announces. Deflated means smaller: `sealEntry` stores what deflate does not shrink. */
function plainOf(body: Uint8Array): Uint8Array {
  const rest = body.subarray(1)
  if (body[0] === STORED) return rest
  if (body[0] !== DEFLATED) throw failed()
  const plain = inflateSmall(rest) ?? inflate(rest)
  if (!plain || rest.length >= plain.length || endsEarly(rest, plain.length)) throw failed()
  return plain
}

/** Complete without its last byte means that the stream ends earlier, and that something hides behind it. */
function endsEarly(deflated: Uint8Array, plainBytes: number): boolean {
  try {
    inflateSync(deflated.subarray(0, -1), { out: new Uint8Array(plainBytes) })
    return true
  } catch {
    return false
  }
}

/**
 * Inflates what most entries are: small, and not compressed beyond reason. In one go, because fflate's stream
 * allocates 160 KB for each; null where that is not enough, or where something is wrong.
 */
function inflateSmall(deflated: Uint8Array): Uint8Array | null {
  if (deflated.length === 0 || deflated.length > INFLATE_STEP) return null
  const out = new Uint8Array(deflated.length * EXPECTED_RATIO)
  try {
    const plain = inflateSync(deflated, { out })
    // A full buffer may be too small: fflate drops what does not fit.
    return plain.length < out.length ? plain.slice() : null
  } catch {
    return null
  }
}

/** Resources of 1 to 10 KB compress to a third or a tenth; where they do better, `inflate` serves. */
const EXPECTED_RATIO = 16

/** Inflates in steps and stops at the limit, so that a small entry cannot fill the memory; null if it cannot. */
function inflate(deflated: Uint8Array): Uint8Array | null {
  const chunks: Uint8Array[] = []
  let length = 0
  const stream = new Inflate((chunk) => {
    length += chunk.length
    if (length > MAX_ENTRY_BYTES) throw failed()
    chunks.push(chunk)
  })
  try {
    for (let at = 0; at < deflated.length; at += INFLATE_STEP) {
      stream.push(deflated.subarray(at, at + INFLATE_STEP), at + INFLATE_STEP >= deflated.length)
    }
  } catch {
    return null
  }
  return deflated.length === 0 ? null : concat(...chunks)
}

/** Compressed bytes per step: DEFLATE expands at most 1,032 times, so one step adds at most 16.5 MB. */
const INFLATE_STEP = 16 * 1024

function contextOf(place: EntryPlace): Uint8Array {
  return frame('ampere-entry/v1', place.chain, place.id, place.compartment)
}

function failed(): AmpereError {
  return new AmpereError('OPEN_FAILED', 'sealed bytes do not open')
}
