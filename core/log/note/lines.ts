// SPDX-License-Identifier: Apache-2.0
import { fromBase64, toBase64 } from '../../bytes/base64.ts'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { AmpereError } from '../../errors.ts'

/** SHA-256, the only hash of the logs here. */
export const HASH_BYTES = 32
/** RFC 6962: a tree of 2^63 leaves has proofs of 63 hashes; tlog-witness and tlog-proof allow no more. */
export const MAX_PROOF_HASHES = 63

const DECIMAL = /^(?:0|[1-9][0-9]*)$/
const HASH_SYMBOLS = 44

/** The one error of the formats in this room. */
export function malformed(what: string, cause?: unknown): AmpereError {
  return new AmpereError('LOG_MALFORMED', what, { cause })
}

/**
 * A text of at most `maxBytes` bytes of UTF-8, from a string or from bytes.
 * @throws AmpereError LOG_MALFORMED also for a string with a lone surrogate, which UTF-8 cannot say
 */
export function readText(input: string | Uint8Array, maxBytes: number, what: string): string {
  if (input.length > maxBytes) throw malformed(`${what} is larger than ${maxBytes} bytes`)
  if (typeof input !== 'string') {
    try {
      return fromUtf8(input)
    } catch (cause) {
      throw malformed(`${what} is not UTF-8`, cause)
    }
  }
  if (!input.isWellFormed()) throw malformed(`${what} is not UTF-8`)
  if (utf8(input).length > maxBytes) throw malformed(`${what} is larger than ${maxBytes} bytes`)
  return input
}

/** The lines of a text that ends with a newline, without their newlines. @throws AmpereError LOG_MALFORMED */
export function readLines(text: string, what: string): string[] {
  if (!text.endsWith('\n')) throw malformed(`${what} does not end with a newline`)
  return text.slice(0, -1).split('\n')
}

/**
 * A decimal without leading zeros, so that one number has one spelling, and at most 2^53-1: a larger one would
 * silently become another.
 * @throws AmpereError LOG_MALFORMED
 */
export function readDecimal(text: string, what: string): number {
  if (!DECIMAL.test(text)) throw malformed(`${what} is not a decimal without leading zeros`)
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw malformed(`${what} is larger than 2^53-1`)
  return value
}

/** The decimal of an integer 0..2^53-1. @throws AmpereError LOG_MALFORMED */
export function writeDecimal(value: number, what: string): string {
  if (!Number.isSafeInteger(value) || value < 0) throw malformed(`${what} is not an integer 0..2^53-1`)
  return String(value)
}

/** Bytes in base64 with padding, in their one spelling. @throws AmpereError LOG_MALFORMED */
export function readBase64(text: string, what: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(text)
  } catch (cause) {
    throw malformed(`${what} is not base64`, cause)
  }
}

/** A hash of 32 bytes in base64. @throws AmpereError LOG_MALFORMED */
export function readHash(text: string, what: string): Uint8Array<ArrayBuffer> {
  // Before decoding: what is longer is no hash, however it decodes.
  const bytes = text.length === HASH_SYMBOLS ? readBase64(text, what) : null
  if (bytes?.length !== HASH_BYTES) throw malformed(`${what} is not ${HASH_BYTES} bytes in base64`)
  return bytes
}

/** A hash in base64. @throws AmpereError LOG_MALFORMED when it is not 32 bytes */
export function writeHash(hash: Uint8Array, what: string): string {
  if (hash.length !== HASH_BYTES) throw malformed(`${what} is not ${HASH_BYTES} bytes`)
  return toBase64(hash)
}

/** The hashes of a Merkle proof, one a line, at most 63. @throws AmpereError LOG_MALFORMED */
export function readProof(lines: readonly string[]): Uint8Array<ArrayBuffer>[] {
  if (lines.length > MAX_PROOF_HASHES) throw malformed(`a proof has more than ${MAX_PROOF_HASHES} hashes`)
  return lines.map((line) => readHash(line, 'a hash of a proof'))
}

/** The lines of a Merkle proof, each with its newline. @throws AmpereError LOG_MALFORMED */
export function writeProof(proof: readonly Uint8Array[]): string {
  if (proof.length > MAX_PROOF_HASHES) throw malformed(`a proof has more than ${MAX_PROOF_HASHES} hashes`)
  return proof.map((hash) => `${writeHash(hash, 'a hash of a proof')}\n`).join('')
}
