// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = new Int8Array(128).fill(-1)
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i

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
  let out = ''
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const n = (at(bytes, i) << 16) | (at(bytes, i + 1) << 8) | at(bytes, i + 2)
    out += symbol(n >> 18) + symbol(n >> 12) + symbol(n >> 6) + symbol(n)
  }
  if (bytes.length - i === 1) {
    const n = at(bytes, i) << 16
    out += symbol(n >> 18) + symbol(n >> 12)
  } else if (bytes.length - i === 2) {
    const n = (at(bytes, i) << 16) | (at(bytes, i + 1) << 8)
    out += symbol(n >> 18) + symbol(n >> 12) + symbol(n >> 6)
  }
  return out
}

/**
 * Strict base64url: no padding, no white space, no slack bits, so that one value has one spelling.
 * @throws AmpereError ENCODING_MALFORMED
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const rest = text.length % 4
  if (rest === 1) throw new AmpereError('ENCODING_MALFORMED', 'base64url has an impossible length')
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let held = 0
  let written = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? (VALUES[code] ?? -1) : -1
    if (value < 0) throw new AmpereError('ENCODING_MALFORMED', `base64url has a foreign character at ${i}`)
    bits = ((bits << 6) | value) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      bytes[written++] = (bits >> held) & 0xff
    }
  }
  if ((bits & ((1 << held) - 1)) !== 0) {
    throw new AmpereError('ENCODING_MALFORMED', 'base64url has slack bits that are not zero')
  }
  return bytes
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

function symbol(bits: number): string {
  return ALPHABET[bits & 63] ?? ''
}
