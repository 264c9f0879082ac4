// SPDX-License-Identifier: Apache-2.0
import { deflateSync, Inflate, inflateSync } from 'fflate'
import type { ChainId, CompartmentId, EntryId } from '../bytes/ids.ts'
import { concat, frame, uint32 } from '../bytes/frame.ts'
import { AmpereError } from '../errors.ts'
import { decryptChunked, encryptChunked, sealedBytes } from './chunked.ts'
import { pad, padmeLength, unpad } from './padding.ts'

/** Decompressed bytes of one entry, at most. Part of the format (docs/PROTOCOL.md, Limits). */
export const MAX_ENTRY_BYTES = 64 * 1024 * 1024
/**
 * How many times the padded body a deflated entry may be, at most; one that shrinks more is stored as it is, so that
 * a reader holds at most so many times what it was sent. Part of the format. Real resources reach 24 times.
 */
export const MAX_INFLATION = 64
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
  return encryptChunked(entry.dek, entry.salt, contextOf(entry), paddedBody(plain))
}

/** Deflated where that is smaller and not beyond what a reader inflates, else stored. */
function paddedBody(plain: Uint8Array): Uint8Array<ArrayBuffer> {
  const deflated = deflateSync(plain, { level: DEFLATE_LEVEL })
  if (deflated.length < plain.length) {
    const padded = pad(concat(new Uint8Array([DEFLATED]), deflated))
    if (plain.length <= MAX_INFLATION * padded.length) return padded
  }
  return pad(concat(new Uint8Array([STORED]), plain))
}

/**
 * Opens one entry. Holds at most `maxBytes` of its plain bytes (header and content with their length) and a step more:
 * one that is larger is given up while it is inflated, and nothing else is said of it.
 * @throws AmpereError OPEN_FAILED, whatever is wrong; TOO_LARGE for one beyond a `maxBytes` below the format's limits
 */
export async function openEntry(
  place: EntryPlace,
  ciphertext: Uint8Array,
  maxBytes: number = MAX_ENTRY_BYTES,
): Promise<{ readonly header: Uint8Array; readonly content: Uint8Array }> {
  // Before anything is decrypted: no entry is larger than the largest that is stored as it is.
  if (ciphertext.length > MAX_CIPHERTEXT_BYTES) throw failed()
  const padded = await decryptChunked(place.dek, contextOf(place), ciphertext)
  const most = Math.min(MAX_ENTRY_BYTES, MAX_INFLATION * padded.length)
  const plain = plainOf(unpad(padded), Math.min(most, maxBytes))
  if (plain === null || plain.length > Math.min(most, maxBytes)) {
    if (maxBytes < most) throw new AmpereError('TOO_LARGE', `an entry is larger than ${maxBytes} bytes`)
    throw failed()
  }
  if (plain.length < 4) throw failed()
  const length = new DataView(plain.buffer, plain.byteOffset).getUint32(0)
  if (plain.length < 4 + length) throw failed()
  return { header: plain.subarray(4, 4 + length), content: plain.subarray(4 + length) }
}

/** Flag and the uint32 length before it, padded, with what chunks add. */
const MAX_CIPHERTEXT_BYTES = sealedBytes(padmeLength(MAX_ENTRY_BYTES + 1 + 4))

/**
 * What the flag byte announces; null for more than `limit` bytes. Deflated means smaller: `sealEntry` stores what
 * deflate does not shrink.
 */
function plainOf(body: Uint8Array, limit: number): Uint8Array | null {
  const rest = body.subarray(1)
  if (body[0] === STORED) return rest
  if (body[0] !== DEFLATED) throw failed()
  const plain = inflateSmall(rest) ?? inflate(rest, limit)
  if (plain === null || plain.length > limit) return null
  if (rest.length >= plain.length || endsEarly(rest, plain.length)) throw failed()
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

/** Inflates in steps and stops at the limit, so that a small entry cannot fill the memory; null for more. */
function inflate(deflated: Uint8Array, limit: number): Uint8Array | null {
  if (deflated.length === 0) throw failed()
  const out: { readonly chunks: Uint8Array[]; bytes: number } = { chunks: [], bytes: 0 }
  const stream = new Inflate((chunk) => {
    out.bytes += chunk.length
    if (out.bytes <= limit) out.chunks.push(chunk)
  })
  const step = Math.min(INFLATE_STEP, Math.max(MIN_STEP, Math.floor(limit / DEFLATE_RATIO)))
  for (let at = 0; at < deflated.length; at += step) {
    try {
      stream.push(deflated.subarray(at, at + step), at + step >= deflated.length)
    } catch {
      throw failed()
    }
    if (out.bytes > limit) return null
  }
  return concat(...out.chunks)
}

/** DEFLATE expands at most so many times. */
const DEFLATE_RATIO = 1032
/** Compressed bytes per step, at most: one step adds at most 16.5 MB. */
const INFLATE_STEP = 16 * 1024
/** Below this, steps cost more than what they might inflate in vain. */
const MIN_STEP = 256

function contextOf(place: EntryPlace): Uint8Array {
  return frame('ampere-entry/v1', place.chain, place.id, place.compartment)
}

function failed(): AmpereError {
  return new AmpereError('OPEN_FAILED', 'sealed bytes do not open')
}
