// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'

const INTEGER = 0x02
const SEQUENCE = 0x30
const SCALAR_BYTES = 32

/** r || s of an ECDSA signature of P-256 in DER (RFC 3279 section 2.2.3). @throws AmpereError KEY_UNAVAILABLE */
export function rawSignature(der: Uint8Array): Uint8Array<ArrayBuffer> {
  const [tag, length] = der
  // Two integers of at most 33 bytes: every length is one byte.
  if (tag !== SEQUENCE || length !== der.length - 2 || der.length > 72) throw malformed()
  const raw = new Uint8Array(2 * SCALAR_BYTES)
  const after = readInteger(der, 2, raw.subarray(0, SCALAR_BYTES))
  if (readInteger(der, after, raw.subarray(SCALAR_BYTES)) !== der.length) throw malformed()
  return raw
}

/** Writes the integer at `at` to the end of `into`. @returns where the next one begins */
function readInteger(der: Uint8Array, at: number, into: Uint8Array): number {
  const length = der[at + 1] ?? 0
  const end = at + 2 + length
  if (der[at] !== INTEGER || length === 0 || end > der.length) throw malformed()
  // One zero byte keeps the number from looking negative.
  const bytes = der.subarray(der[at + 2] === 0 && length > 1 ? at + 3 : at + 2, end)
  if (bytes.length > into.length) throw malformed()
  into.set(bytes, into.length - bytes.length)
  return end
}

function malformed(): AmpereError {
  return new AmpereError('KEY_UNAVAILABLE', 'what KMS gave is no signature of P-256')
}
