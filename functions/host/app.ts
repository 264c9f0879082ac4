// SPDX-License-Identifier: Apache-2.0
import { Hono } from 'hono'
import { AmpereError } from '#core/errors.ts'
import type { Now, Random } from '#core/ports/keys.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { problem } from './problem.ts'
import type { Log } from './telemetry.ts'

/** What every role's app is given by its host. */
export interface Hosting {
  readonly now: Now
  readonly random: Random
  readonly log: Log
}

export type RoleApp = Hono<{ Variables: { requestId: string } }>

/** An empty app with what all roles share: request ids, problem documents, one log line per request. */
export function createApp(role: string, hosting: Hosting): RoleApp {
  const app: RoleApp = new Hono()
  app.use(async (c, next) => {
    const started = hosting.now()
    c.set('requestId', `r_${toBase64url(hosting.random(9))}`)
    await next()
    const { headers } = c.res
    headers.set('x-request-id', c.get('requestId'))
    headers.set('x-content-type-options', 'nosniff')
    hosting.log({
      event: 'request',
      role,
      requestId: c.get('requestId'),
      method: c.req.method,
      route: c.req.routePath,
      status: c.res.status,
      durationMs: hosting.now() - started,
    })
  })
  app.onError((error, c) => problem(c, error, hosting.log))
  app.notFound((c) => problem(c, new AmpereError('NOT_FOUND', 'no such route'), hosting.log))
  return app
}

/**
 * The body of a request, refused before it is read when its stated length is over the limit, and while it
 * is read when it lied.
 * @throws AmpereError TOO_LARGE
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () => new AmpereError('TOO_LARGE', `the body is larger than ${maxBytes} bytes`)
  const stated = request.headers.get('content-length')
  if (Number(stated ?? '0') > maxBytes) throw tooLarge()
  if (stated !== null) {
    // A server ends a body at its stated length, so all of it may be read at once: streams cost more than the bytes.
    const body = new Uint8Array(await request.arrayBuffer())
    if (body.length > maxBytes) throw tooLarge()
    return body
  }
  if (!request.body) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  const body = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}

/** @throws AmpereError UNSUPPORTED_MEDIA_TYPE unless the content type is one of `types` */
export function requireType(request: Request, ...types: readonly string[]): string {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (types.includes(type)) return type
  throw new AmpereError('UNSUPPORTED_MEDIA_TYPE', `the content type is not ${types.join(' or ')}`)
}

/** A query parameter that is an integer 0..2^53-1. @throws AmpereError REQUEST_MALFORMED */
export function countParameter(url: URL, name: string, fallback: number): number {
  const text = url.searchParams.get(name)
  if (text === null) return fallback
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value))
    throw new AmpereError('REQUEST_MALFORMED', `parameter ${name} is not a count`)
  return value
}
