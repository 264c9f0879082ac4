// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'
import { fromBase64url, toBase64url } from './encoding.ts'

const SHAPE = /^[A-Za-z0-9+/]*={0,2}$/
const PADDING = ['', '', '==', '=']

/** base64 with padding, RFC 4648 section 4: what the texts of transparency logs are written in. */
export function toBase64(bytes: Uint8Array): string {
  const text = toBase64url(bytes)
  return text.replaceAll('-', '+').replaceAll('_', '/') + (PADDING[text.length % 4] ?? '')
}

/**
 * Strict base64: padding as it must be, no white space, no slack bits, so that one value has one spelling.
 * @throws AmpereError ENCODING_MALFORMED
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 !== 0) throw new AmpereError('ENCODING_MALFORMED', 'base64 has an impossible length')
  if (!SHAPE.test(text)) throw new AmpereError('ENCODING_MALFORMED', 'base64 has a foreign character')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const symbols = text.slice(0, text.length - padding)
  return fromBase64url(symbols.replaceAll('+', '-').replaceAll('/', '_'))
}
