// SPDX-License-Identifier: Apache-2.0

/**
 * Every way in which Ampere can refuse or fail. Codes are API: add, never rename.
 * Each code belongs to one row of the table in core/api/problems.ts, which gives its HTTP status.
 */
export type ErrorCode =
  // malformed input, named by what was read
  | 'JSON_MALFORMED'
  | 'ENCODING_MALFORMED'
  | 'JWS_MALFORMED'
  | 'BLOCK_MALFORMED'
  | 'RECORD_MALFORMED'
  | 'RESOURCE_MALFORMED'
  | 'EXPORT_MALFORMED'
  | 'EVIDENCE_MALFORMED'
  | 'REQUEST_MALFORMED'
  | 'KEY_MALFORMED'
  | 'LOG_MALFORMED'
  // proof and seal
  | 'SIGNATURE_INVALID'
  | 'PROOF_INVALID'
  | 'OPEN_FAILED'
  | 'VERIFICATION_FAILED'
  // admission now (a refusal, not a violation)
  | 'BLOCK_REFUSED'
  | 'VIOLATION'
  | 'CLOCK_SKEW'
  | 'REGISTRY_STALE'
  | 'CHAIN_MOVED'
  | 'HEAD_CONFLICT'
  | 'LIMIT_EXCEEDED'
  | 'TOO_LARGE'
  | 'QUARANTINED'
  // who and what
  | 'UNAUTHORIZED'
  | 'TOKEN_EXPIRED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'GONE'
  | 'ALREADY_EXISTS'
  | 'PRECONDITION_FAILED'
  | 'UNSUPPORTED'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'METHOD_NOT_ALLOWED'
  | 'URI_TOO_LONG'
  | 'RANGE_NOT_SATISFIABLE'
  | 'MISDIRECTED'
  | 'HOLD'
  // the machine
  | 'STORE_UNAVAILABLE'
  | 'STORE_FULL'
  | 'STORE_CORRUPT'
  | 'STORE_VERSION'
  | 'STORE_LOCKED'
  | 'PASSPHRASE_WRONG'
  | 'PORT_IN_USE'
  | 'KEY_UNAVAILABLE'
  | 'UPSTREAM_FAILED'
  | 'CONFIGURATION'
  | 'UNEXPECTED'

/** A limit that was reached, as the headers RateLimit and RateLimit-Policy say it. */
export interface RateLimit {
  readonly policy: string
  readonly unit: 'requests' | 'content-bytes'
  readonly quota: number
  readonly windowSeconds: number
  readonly remaining: number
  readonly resetSeconds: number
}

/** The one error class. Its message never carries medical data, a name, an identifier or key material. */
export class AmpereError extends Error {
  readonly code: ErrorCode
  /** With LIMIT_EXCEEDED, when to try again. */
  readonly rateLimit: RateLimit | null

  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { readonly rateLimit?: RateLimit }) {
    super(message, options)
    this.name = 'AmpereError'
    this.code = code
    this.rateLimit = options?.rateLimit ?? null
  }
}

/** True when `error` is an AmpereError with one of `codes` (any code when none is given). */
export function isAmpereError(error: unknown, ...codes: readonly ErrorCode[]): error is AmpereError {
  return error instanceof AmpereError && (codes.length === 0 || codes.includes(error.code))
}

/** The rule that an error names, or null: the message begins with `rule NAME: `, as that of `brokenRule`. */
export function ruleIn({ message }: AmpereError): string | null {
  return /^rule ([a-z][a-z-]{0,39}): /.exec(message)?.[1] ?? null
}

/** What does not verify, by its rule (docs/PROTOCOL.md and docs/protocol/RULES.md): the message begins with `rule NAME: `. */
export function brokenRule(rule: string, detail: string, cause?: unknown): AmpereError {
  return new AmpereError(
    'VERIFICATION_FAILED',
    `rule ${rule}: ${detail}`,
    cause === undefined ? {} : { cause },
  )
}
