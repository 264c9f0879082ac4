// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { Place } from '#core/bridge/serve/serve.ts'
import { PROBLEMS } from '#core/api/problems.ts'
import { AmpereError } from '#core/errors.ts'
import { outcomeOf } from '#core/record/outcome.ts'
import type { Hosting } from '../host/app.ts'
import { challengeOf } from './guard.ts'

export const FHIR_JSON = 'application/fhir+json'

/** A FHIR answer; never cached, because it is about a person. */
export function fhir(body: object, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': `${FHIR_JSON}; fhirVersion=4.0`, 'cache-control': 'no-store', ...headers },
  })
}

/** An OperationOutcome for whatever went wrong; what is unexpected says nothing but its request id. */
export function fhirProblem(c: Context, error: unknown, hosting: Hosting): Response {
  const known = error instanceof AmpereError ? error : null
  const status = known ? PROBLEMS[known.code].status : 500
  const requestId = String(c.get('requestId') ?? '')
  const code = known?.code ?? 'UNEXPECTED'
  c.set('code', code)
  hosting.log({
    event: 'problem',
    requestId,
    code,
    status,
    ...(known ? {} : { error: error instanceof Error ? error.name : typeof error }),
  })
  const shown =
    known ?? new AmpereError('STORE_UNAVAILABLE', `something went wrong here (request ${requestId})`)
  const challenge = challengeOf(c, shown)
  return fhir(outcomeOf(shown), status, {
    ...(status === 429 || status === 503 ? { 'retry-after': '1' } : {}),
    ...(challenge === null ? {} : { 'www-authenticate': challenge }),
  })
}

/** Where the answers' links point: the endpoint as the client wrote it. */
export function placeOf(c: Context): Place {
  const url = new URL(c.req.url)
  const path = url.pathname.slice(0, url.pathname.indexOf('/fhir') + '/fhir'.length)
  return { base: `${url.origin}${path}`, url }
}
