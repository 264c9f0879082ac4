// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { isAmpereError, type AmpereError, type ErrorCode } from '#core/errors.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Login } from '#core/bridge/token/login.ts'
import { PROBLEMS } from '#core/api/problems.ts'
import { readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'

/** Largest form: an assertion takes 8 KB at most. */
const MAX_FORM_BYTES = 32 * 1024

/** What RFC 6749 section 5.2 calls it; what is not listed is not the client's fault. */
const OAUTH_ERRORS: Partial<Record<ErrorCode, string>> = {
  REQUEST_MALFORMED: 'invalid_request',
  ENCODING_MALFORMED: 'invalid_request',
  UNSUPPORTED_MEDIA_TYPE: 'invalid_request',
  TOO_LARGE: 'invalid_request',
  UNAUTHORIZED: 'invalid_client',
  JWS_MALFORMED: 'invalid_client',
  KEY_MALFORMED: 'invalid_client',
  UPSTREAM_FAILED: 'invalid_client',
  UNSUPPORTED: 'unsupported_grant_type',
}
/** No code of RFC 6749 says "later"; this one is of its section 4.1.2.1. */
const LATER = 'temporarily_unavailable'

/** The token endpoint, and what is asked and said of tokens. None of these routes needs a token: an assertion proves who asks. */
export function addOauth(app: RoleApp, { tokens }: Login, hosting: Hosting): void {
  const acts = {
    token: { forbidden: 'invalid_scope', act: (form: URLSearchParams) => tokens.issue(form) },
    introspect: { forbidden: 'invalid_request', act: (form: URLSearchParams) => tokens.introspect(form) },
    revoke: { forbidden: 'unauthorized_client', act: (form: URLSearchParams) => tokens.revoke(form) },
  } as const
  for (const [name, { forbidden, act }] of Object.entries(acts)) {
    const path = `/oauth/${name}`
    app.post(path, async (c) => {
      try {
        requireType(c.req.raw, 'application/x-www-form-urlencoded')
        const form = new URLSearchParams(fromUtf8(await readBody(c.req.raw, MAX_FORM_BYTES)))
        return json((await act(form)) ?? {}, 200)
      } catch (error) {
        return refusal(c, error, forbidden, hosting)
      }
    })
    app.all(path, () =>
      json({ error: 'invalid_request', error_description: 'use POST' }, 405, { allow: 'POST' }),
    )
  }
}

function refusal(c: Context, error: unknown, forbidden: string, hosting: Hosting): Response {
  if (!isAmpereError(error)) throw error
  const { code, message } = error
  c.set('code', code)
  const name = code === 'FORBIDDEN' ? forbidden : OAUTH_ERRORS[code]
  const status = statusOf(c, error, name)
  hosting.log({ event: 'problem', requestId: String(c.get('requestId') ?? ''), code, status })
  const headers: Record<string, string> = {}
  if (status === 401) headers['www-authenticate'] = schemeOf(c)
  if (name === undefined) headers['retry-after'] = String(error.rateLimit?.resetSeconds ?? 1)
  // RFC 6749 section 5.2: neither quotes nor backslashes.
  const description = message.replaceAll(/["\\]/g, "'")
  return json({ error: name ?? LATER, error_description: description }, status, headers)
}

/** RFC 6749 section 5.2: 400, but 401 for whoever tried to authenticate by a header. */
function statusOf(c: Context, { code }: AmpereError, name: string | undefined): number {
  if (name === undefined) return PROBLEMS[code].status
  return name === 'invalid_client' && c.req.header('authorization') !== undefined ? 401 : 400
}

/** The scheme that was tried, of those that anybody tries. */
function schemeOf(c: Context): string {
  const isBearer = /^bearer\b/i.test(c.req.header('authorization') ?? '')
  return `${isBearer ? 'Bearer' : 'Basic'} realm="oauth"`
}

/** RFC 6749 section 5.1: no answer of these is kept anywhere. */
function json(body: object, status: number, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      ...headers,
    },
  })
}
