// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { PROBLEMS } from '#core/api/problems.ts'
import { AmpereError, type ErrorCode, type RateLimit } from '#core/errors.ts'
import type { Log } from './telemetry.ts'

/** An RFC 9457 problem document for an error; unknown errors say nothing but their request id. */
export function problem(c: Context, error: unknown, log: Log): Response {
  const requestId = String(c.get('requestId') ?? '')
  const code: ErrorCode = error instanceof AmpereError ? error.code : 'STORE_UNAVAILABLE'
  const type = PROBLEMS[code]
  const known = error instanceof AmpereError
  log({
    event: 'problem',
    requestId,
    code: known ? code : 'UNEXPECTED',
    status: known ? type.status : 500,
    // The class of an unexpected error only: its text could carry what a library was given.
    ...(known ? {} : { error: error instanceof Error ? error.name : typeof error }),
  })
  const body = {
    type: `/problems/${code.toLowerCase().replaceAll('_', '-')}`,
    title: known ? type.title : 'Something went wrong here',
    status: known ? type.status : 500,
    code: known ? code : 'UNEXPECTED',
    detail: known ? error.message : 'The cause is in the log under this request id.',
    retryable: known ? type.retryable : true,
    requestId,
  }
  return new Response(JSON.stringify(body), {
    status: body.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(type.status === 429 || type.status === 503 ? { 'retry-after': '1' } : {}),
      ...(known && error.rateLimit ? limitHeaders(error.rateLimit) : {}),
    },
  })
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
