// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '../../errors.ts'

/**
 * Bytes of an export at most that are read in one piece, wherever it is verified: the characters that V8 holds in one
 * string, 2^29 - 24.
 */
export const MAX_EXPORT_BYTES = 2 ** 29 - 24

/** How every export begins, whatever its version: its first line is canonical, and this member its first. */
export const EXPORT_START = '{"ampere":"export/'

/** What a file that nothing can be reported of is: no export at all, one that is not as it was made, or of a newer version. */
export type ExportFailure = 'not-export' | 'tampered' | 'newer'

const NOT_EXPORT = 'the file is not an export'

/** Of a file that does not begin as an export: nothing of it was checked. */
export function notExport(cause?: unknown): AmpereError {
  return new AmpereError('EXPORT_MALFORMED', `${NOT_EXPORT}: it does not begin as one`, { cause })
}

/** Codes of parsers and checks that say of a part of an export that it is not what was signed. */
const BROKEN = [
  'ENCODING_MALFORMED',
  'JSON_MALFORMED',
  'KEY_MALFORMED',
  'LOG_MALFORMED',
  'PROOF_INVALID',
  'RECORD_MALFORMED',
  'REQUEST_MALFORMED',
  'RESOURCE_MALFORMED',
] as const
const TAMPERED = [
  'BLOCK_MALFORMED',
  'EXPORT_MALFORMED',
  'JWS_MALFORMED',
  'SIGNATURE_INVALID',
  'VERIFICATION_FAILED',
] as const

/** What was thrown about a part, as what it means for the file; anything else as it is. */
export function brokenPart(cause: unknown): unknown {
  if (!isAmpereError(cause, ...BROKEN)) return cause
  return new AmpereError('VERIFICATION_FAILED', `rule export-part: ${cause.message}`, { cause })
}

/** The one class of what `verifyExport` threw, by its code and message; null for what says nothing of the file. */
export function exportFailure(error: {
  readonly code: string
  readonly message: string
}): ExportFailure | null {
  if (error.code === 'UNSUPPORTED') return 'newer'
  if (error.code === 'EXPORT_MALFORMED' && error.message.startsWith(NOT_EXPORT)) return 'not-export'
  return TAMPERED.some((code) => code === error.code) ? 'tampered' : null
}
