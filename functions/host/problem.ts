// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { ProblemAnswer } from '#core/api/answers.ts'
import { PROBLEMS, problemTypeUri } from '#core/api/problems.ts'
import { AUTH_SCHEME } from '#core/api/request.ts'
import { AmpereError, type RateLimit } from '#core/errors.ts'
import type { Log } from './telemetry.ts'

/** Content type of every error answer, RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json'

/**
 * An RFC 9457 problem document for an error; unknown errors say nothing but their request id.
 * `headers` are those that only the route knows, such as `Allow`.
 */
export function problem(
  c: Context,
  error: unknown,
  log: Log,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const requestId = String(c.get('requestId') ?? '')
  const known = error instanceof AmpereError ? error : unexpected(error)
  c.set('code', known.code)
  log({
    event: 'problem',
    requestId,
    code: known.code,
    status: PROBLEMS[known.code].status,
    // The class of an unexpected error only: its text could carry what a library was given.
    ...(known === error ? {} : { error: error instanceof Error ? error.name : typeof error }),
  })
  return problemResponse(known, requestId, headers)
}

/** The problem document of an error as an answer. */
export function problemResponse(
  { code, message, rateLimit }: AmpereError,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { status, title, retryable } = PROBLEMS[code]
  const body: ProblemAnswer = {
    type: problemTypeUri(code),
    title,
    status,
    code,
    detail: message,
    retryable,
    requestId,
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': PROBLEM_TYPE,
      'cache-control': 'no-store',
      ...(status === 401 ? { 'www-authenticate': AUTH_SCHEME } : {}),
      ...(status === 429 || status === 503 ? { 'retry-after': '1' } : {}),
      ...(rateLimit ? limitHeaders(rateLimit) : {}),
      ...headers,
    },
  })
}

/** What is answered for an error that nobody foresaw: nothing of it. */
export function unexpected(cause: unknown): AmpereError {
  return new AmpereError('UNEXPECTED', 'The cause is in the log under this request id.', { cause })
}

/** Retry-After (RFC 9110) and the headers of draft-ietf-httpapi-ratelimit-headers. */
function limitHeaders(limit: RateLimit): Record<string, string> {
  const { policy, quota, windowSeconds, remaining, resetSeconds } = limit
  const unit = limit.unit === 'requests' ? '' : `;qu="${limit.unit}"`
  return {
    'retry-after': String(resetSeconds),
    'ratelimit-policy': `"${policy}";q=${quota}${unit};w=${windowSeconds}`,
    ratelimit: `"${policy}";r=${remaining};t=${resetSeconds}`,
  }
}
