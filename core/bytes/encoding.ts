// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const CODES = Uint8Array.from(ALPHABET, (symbol) => symbol.charCodeAt(0))
/** Two symbols for each 12 bits. */
const PAIRS = Array.from(
  { length: 4096 },
  (_, bits) => ALPHABET.charAt(bits >> 6) + ALPHABET.charAt(bits & 63),
)
const FOREIGN = 0xff
/** By character code; as large as that so that no look-up is out of bounds. */
const VALUES = new Uint8Array(0x10000).fill(FOREIGN)
for (const [value, code] of CODES.entries()) VALUES[code] = value
/** Up to this length joining strings is faster than decoding bytes; digests, ids and signatures are shorter. */
const SHORT_BYTES = 96

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a string. A lone surrogate becomes U+FFFD, as TextEncoder does. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return utf8Encoder.encode(text)
}

/** Strict UTF-8: a byte sequence that is not UTF-8 throws ENCODING_MALFORMED; a BOM is kept. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes)
  } catch (cause) {
    throw new AmpereError('ENCODING_MALFORMED', 'bytes are not UTF-8', { cause })
  }
}

/** base64url without padding, RFC 4648 section 5. */
export function toBase64url(bytes: Uint8Array): string {
  return bytes.length <= SHORT_BYTES ? joined(bytes) : encoded(bytes)
}

function joined(bytes: Uint8Array): string {
  let out = ''
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const n = (at(bytes, i) << 16) | (at(bytes, i + 1) << 8) | at(bytes, i + 2)
    out += pair(n >> 12) + pair(n)
  }
  return out + lastGroup(bytes, i)
}

function encoded(bytes: Uint8Array): string {
  const groups = Math.floor(bytes.length / 3)
  const out = new Uint8Array(groups * 4)
  for (let group = 0; group < groups; group++) {
    const i = group * 3
    const n = (at(bytes, i) << 16) | (at(bytes, i + 1) << 8) | at(bytes, i + 2)
    const written = group * 4
    out[written] = at(CODES, n >> 18)
    out[written + 1] = at(CODES, (n >> 12) & 63)
    out[written + 2] = at(CODES, (n >> 6) & 63)
    out[written + 3] = at(CODES, n & 63)
  }
  return utf8Decoder.decode(out) + lastGroup(bytes, groups * 3)
}

/** What is left after whole groups: two symbols for one byte, three for two, none for none. */
function lastGroup(bytes: Uint8Array, from: number): string {
  const left = bytes.length - from
  if (left === 0) return ''
  const n = (at(bytes, from) << 16) | (at(bytes, from + 1) << 8)
  return left === 1 ? pair(n >> 12) : pair(n >> 12) + (ALPHABET[(n >> 6) & 63] ?? '')
}

/**
 * Strict base64url: no padding, no white space, no slack bits, so that one value has one spelling.
 * @throws AmpereError ENCODING_MALFORMED
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((text.length * 3) >> 2)
  const whole = text.length & ~3
  let foreign = 0
  let written = 0
  for (let i = 0; i < whole; i += 4) {
    const a = sextet(text, i)
    const b = sextet(text, i + 1)
    const c = sextet(text, i + 2)
    const d = sextet(text, i + 3)
    foreign |= a | b | c | d
    const n = (a << 18) | (b << 12) | (c << 6) | d
    bytes[written++] = n >> 16
    bytes[written++] = n >> 8
    bytes[written++] = n
  }
  let rest = 0
  for (let i = whole; i < text.length; i++) {
    const value = sextet(text, i)
    foreign |= value
    rest |= value << (18 - 6 * (i - whole))
  }
  if (foreign >= 64 || text.length % 4 === 1 || hasSlack(text)) throw malformedBase64url(text)
  // Past the end of `bytes` nothing is written.
  bytes[written++] = rest >> 16
  bytes[written] = rest >> 8
  return bytes
}

/** Whether `fromBase64url` takes a text, without making the bytes. */
export function isBase64url(text: string): boolean {
  let foreign = 0
  for (let i = 0; i < text.length; i++) foreign |= sextet(text, i)
  return foreign < 64 && text.length % 4 !== 1 && !hasSlack(text)
}

/** The last symbol of a text that does not end with a whole group fills a byte with its upper bits only. */
function hasSlack(text: string): boolean {
  const slack = [0, 0, 0b1111, 0b11][text.length & 3] ?? 0
  return slack !== 0 && (sextet(text, text.length - 1) & slack) !== 0
}

function malformedBase64url(text: string): AmpereError {
  if (text.length % 4 === 1)
    return new AmpereError('ENCODING_MALFORMED', 'base64url has an impossible length')
  for (let i = 0; i < text.length; i++) {
    if (sextet(text, i) >= 64)
      return new AmpereError('ENCODING_MALFORMED', `base64url has a foreign character at ${i}`)
  }
  return new AmpereError('ENCODING_MALFORMED', 'base64url has slack bits that are not zero')
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0')
  return out
}

/** Strict lower-case hexadecimal of even length. @throws AmpereError ENCODING_MALFORMED */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new AmpereError('ENCODING_MALFORMED', 'hexadecimal is not lower-case pairs')
  }
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16)
  return bytes
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}

/** The two symbols of the lowest 12 bits. */
function pair(bits: number): string {
  return PAIRS[bits & 0xfff] ?? ''
}

/** The six bits of a symbol, or at least 64 for a foreign character. */
function sextet(text: string, index: number): number {
  return VALUES[text.charCodeAt(index)] ?? FOREIGN
}
