// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from '../errors.ts'

/** How an error code is answered over HTTP (RFC 9457). */
export interface ProblemType {
  readonly status: number
  readonly title: string
  readonly retryable: boolean
}

const bad = (title: string, status = 400): ProblemType => ({ status, title, retryable: false })
const later = (title: string, status = 503): ProblemType => ({ status, title, retryable: true })

/** One row per error code; adding a code without a row does not compile. */
export const PROBLEMS: Readonly<Record<ErrorCode, ProblemType>> = {
  JSON_MALFORMED: bad('The text is not the JSON that is expected'),
  ENCODING_MALFORMED: bad('A value is not encoded as required'),
  JWS_MALFORMED: bad('A signed statement is not well-formed'),
  BLOCK_MALFORMED: bad('The block is not well-formed'),
  RECORD_MALFORMED: bad('A registry record or entry header is not well-formed'),
  RESOURCE_MALFORMED: bad('The resource is not well-formed', 422),
  EXPORT_MALFORMED: bad('The file is not an Ampere export'),
  EVIDENCE_MALFORMED: bad('The file is not Ampere evidence'),
  REQUEST_MALFORMED: bad('The request is not well-formed'),
  KEY_MALFORMED: bad('A key is not well-formed'),
  LOG_MALFORMED: bad('A text of a transparency log is not well-formed'),
  SIGNATURE_INVALID: bad('A signature does not verify', 422),
  PROOF_INVALID: bad('A proof does not verify', 422),
  OPEN_FAILED: bad('A sealed entry does not open', 422),
  VERIFICATION_FAILED: bad('The verification failed', 422),
  BLOCK_REFUSED: bad('The block is refused for now', 422),
  VIOLATION: bad('The block breaks a rule', 422),
  CLOCK_SKEW: bad('The time of the block is too far from the time here', 422),
  REGISTRY_STALE: bad('The block names a registry head that is too old', 422),
  CHAIN_MOVED: bad('The chain is at another home', 421),
  HEAD_CONFLICT: { status: 409, title: 'The chain has moved on', retryable: true },
  LIMIT_EXCEEDED: later('A limit is reached', 429),
  TOO_LARGE: bad('The request is larger than the limit', 413),
  QUARANTINED: bad('The item is in quarantine', 422),
  UNAUTHORIZED: bad('The request is not authenticated', 401),
  TOKEN_EXPIRED: bad('The access token has expired', 401),
  FORBIDDEN: bad('Not allowed', 403),
  NOT_FOUND: bad('Not found', 404),
  GONE: bad('Deleted or erased', 410),
  ALREADY_EXISTS: bad('Exists already', 409),
  PRECONDITION_FAILED: bad('A precondition does not hold', 412),
  UNSUPPORTED: bad('Not supported', 501),
  UNSUPPORTED_MEDIA_TYPE: bad('The content type is not supported', 415),
  METHOD_NOT_ALLOWED: bad('The method is not supported here', 405),
  URI_TOO_LONG: bad('The URL is longer than the limit', 414),
  RANGE_NOT_SATISFIABLE: bad('The range begins past the end', 416),
  MISDIRECTED: bad('The request is for another host', 421),
  HOLD: bad('The record is on hold', 409),
  STORE_UNAVAILABLE: later('The store does not answer'),
  STORE_FULL: { status: 507, title: 'The store is full', retryable: true },
  STORE_CORRUPT: { status: 500, title: 'The store is damaged', retryable: false },
  STORE_VERSION: { status: 500, title: 'The store is of a newer version', retryable: false },
  STORE_LOCKED: later('The store is in use by another process'),
  PASSPHRASE_WRONG: bad('The passphrase is wrong', 403),
  PORT_IN_USE: { status: 500, title: 'The port is in use', retryable: false },
  KEY_UNAVAILABLE: later('A key cannot be used now'),
  UPSTREAM_FAILED: later('Another service did not answer', 502),
  CONFIGURATION: { status: 500, title: 'The configuration is wrong', retryable: false },
  UNEXPECTED: { status: 500, title: 'Something went wrong here', retryable: true },
}

/** The `type` of a code's problem documents: a reference relative to the home's origin. */
export function problemTypeUri(code: ErrorCode): string {
  return `/problems/${code.toLowerCase().replaceAll('_', '-')}`
}
