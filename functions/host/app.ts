// SPDX-License-Identifier: Apache-2.0
import { Hono } from 'hono'
import { MAX_URL_CHARACTERS } from '#core/api/limits.ts'
import { AmpereError } from '#core/errors.ts'
import { readBody as readUpTo } from '#core/order/read-body.ts'
import type { Now, Random } from '#core/ports/keys.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { problem } from './problem.ts'
import { silentTelemetry, type Log, type Telemetry } from './telemetry.ts'

/** What every role's app is given by its host. */
export interface Hosting {
  readonly now: Now
  readonly random: Random
  readonly log: Log
  /** Bytes of one request that pass what this runs behind; as many as one append has where it is left out. */
  readonly maxRequestBytes?: number
  /** Bytes of one answer that pass, `maxRangeBytes` or more; any where it is left out. */
  readonly maxAnswerBytes?: number
  /** Without it nothing is measured. */
  readonly telemetry?: Telemetry
}

/** Cache-Control of what never changes: a year, RFC 9111 and RFC 8246. */
export const FOR_EVER = 'public, max-age=31536000, immutable'

export type RoleApp = Hono<{ Variables: { requestId: string; role: string; code?: string } }>

/** An empty app with what all roles share: request ids, problem documents, one log line per request. */
export function createApp(role: string, hosting: Hosting): RoleApp {
  const app: RoleApp = new Hono()
  const { telemetry = silentTelemetry } = hosting
  app.use(async (c, next) => {
    // Roles in one process are mounted in one app: the outermost has done all this already.
    if ((c.get('requestId') as string | undefined) !== undefined) return next()
    const head = { method: c.req.method, traceparent: c.req.header('traceparent') ?? null }
    await telemetry.request(head, async () => {
      const started = hosting.now()
      c.set('requestId', `r_${toBase64url(hosting.random(9))}`)
      c.set('role', role)
      if (c.req.url.length > MAX_URL_CHARACTERS) c.res = problem(c, urlTooLong(), hosting.log)
      else await next()
      const { headers } = c.res
      headers.set('x-request-id', c.get('requestId'))
      headers.set('x-content-type-options', 'nosniff')
      if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
      const answered = {
        role: c.get('role'),
        requestId: c.get('requestId'),
        route: c.req.routePath,
        status: c.res.status,
      }
      const durationMs = hosting.now() - started
      hosting.log({ event: 'request', method: c.req.method, ...answered, durationMs })
      return { ...answered, code: c.get('code') ?? null }
    })
  })
  app.onError((error, c) => problem(c, error, hosting.log))
  app.notFound((c) => problem(c, noRoute(), hosting.log))
  return app
}

/** No route here. */
export function noRoute(): AmpereError {
  return new AmpereError('NOT_FOUND', 'no such route')
}

function urlTooLong(): AmpereError {
  return new AmpereError(
    'URI_TOO_LONG',
    `the URL is longer than ${MAX_URL_CHARACTERS} characters (maxUrlCharacters)`,
  )
}

/**
 * The body of a request, refused before it is read when its stated length is over the limit, and while it
 * is read when it lied. `limit` is the name of the limit, where it has one.
 * @throws AmpereError TOO_LARGE, REQUEST_MALFORMED for a body that ends early
 */
export async function readBody(
  request: Request,
  maxBytes: number,
  limit?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = limit === undefined ? '' : ` (${limit})`
  const tooLarge = () => new AmpereError('TOO_LARGE', `the body is larger than ${maxBytes} bytes${name}`)
  const stated = request.headers.get('content-length')
  // One byte more tells a body that is too large; what lies beyond is not read.
  const limits = { maxBytes: maxBytes + 1, beyond: 'cut', who: 'the client' } as const
  if (Number(stated ?? '0') > maxBytes) throw tooLarge()
  // A server ends a body at its stated length, so all of it may be read at once: streams cost more than the bytes.
  const body = await (stated === null ? readUpTo(request, limits, null) : request.bytes()).catch((cause) => {
    throw new AmpereError('REQUEST_MALFORMED', 'the body ends before its length', { cause })
  })
  if (body.length > maxBytes) throw tooLarge()
  return body
}

/** @throws AmpereError UNSUPPORTED_MEDIA_TYPE unless the content type is one of `types` */
export function requireType(request: Request, ...types: readonly string[]): string {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (types.includes(type)) return type
  throw new AmpereError('UNSUPPORTED_MEDIA_TYPE', `the content type is not ${types.join(' or ')}`)
}
