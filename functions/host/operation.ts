// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import * as v from 'valibot'
import { LIMITS, type LimitName } from '#core/api/limits.ts'
import { AmpereError, type ErrorCode } from '#core/errors.ts'
import { createApp, noRoute, readBody, requireType, type Hosting, type RoleApp } from './app.ts'
import { problem } from './problem.ts'

type Entries = Readonly<Record<string, v.GenericSchema<string | undefined, unknown>>>
type Parsed<E extends Entries> = { readonly [K in keyof E]: v.InferOutput<E[K]> }

/** A success answer. A `schema` means JSON; without one the bytes are opaque. */
export interface Answer {
  readonly does: string
  readonly type: string
  readonly schema?: v.GenericSchema
  readonly headers?: Readonly<Record<string, string>>
}

/** Content type of a body whose form its protocol fixes, so that clients say anything or nothing about it. */
export const ANY_TYPE = '*/*'

/** A request body: bytes of one content type, or `ANY_TYPE`. `json` is the schema of the JSON in it, where there is some. */
export interface Body {
  readonly does: string
  readonly type: string
  readonly limit: LimitName
  readonly json?: v.GenericSchema
}

/**
 * One route as it is described and as it is enforced: parameters, content type, size and method are checked
 * from this value before the handler runs, so that the description cannot say something else.
 */
export interface Operation<P extends Entries = Entries, Q extends Entries = Entries> {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Hono's pattern of the path. */
  readonly pattern: string
  /** One sentence. */
  readonly does: string
  /** Who may call it. */
  readonly who: string
  /** True when an Authorization header with a signed request is needed. */
  readonly signed: boolean
  /** What else a caller has to know. */
  readonly notes?: string
  readonly limits: readonly LimitName[]
  readonly path: P
  readonly query: Q
  /** Request headers beside Authorization and Content-Type that mean something here. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Body | null
  readonly answers: Readonly<Partial<Record<200 | 201 | 202 | 206, Answer>>>
  /** What a protocol that others laid down answers instead of problem documents, by status. */
  readonly refusals?: Readonly<Partial<Record<400 | 403 | 404 | 409 | 422, Answer>>>
  /** Every code that this operation gives, beside those that every operation gives. */
  readonly problems: readonly ErrorCode[]
}

/** Codes that every operation can give. */
export const COMMON_PROBLEMS: readonly ErrorCode[] = ['URI_TOO_LONG', 'UNEXPECTED']
/** Codes of an operation that reads a store. */
export const READ_PROBLEMS: readonly ErrorCode[] = ['STORE_UNAVAILABLE', 'STORE_LOCKED', 'STORE_CORRUPT']
/** Codes of an operation that needs a signed request. */
export const SIGNED_PROBLEMS: readonly ErrorCode[] = ['UNAUTHORIZED']

/** What a handler is given: everything that came with the request, checked. */
export interface Asked<O extends Operation> {
  readonly path: Parsed<O['path']>
  readonly query: Parsed<O['query']>
  /** Empty for operations without a body. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** An operation with what carries it out. */
export interface Route {
  readonly operation: Operation
  readonly handle: (c: Context, asked: Asked<Operation>) => Promise<Response>
}

/** Binds a handler to its operation. */
export function route<O extends Operation>(
  operation: O,
  handle: (c: Context, asked: Asked<O>) => Promise<Response>,
): Route {
  return { operation, handle: handle as Route['handle'] }
}

/** A role's app with exactly these routes. */
export function createRoleApp(role: string, hosting: Hosting, routes: readonly Route[]): RoleApp {
  const app = createApp(role, hosting)
  for (const each of routes) {
    app.on(each.operation.method, each.operation.pattern, (c) => {
      c.set('role', role)
      return answer(c, each, hosting)
    })
  }
  return app
}

/**
 * Answers what no route of an app answers, after all of them were added; roles may share a path. Other methods
 * get 405 with `Allow`, and OPTIONS `Allow` alone: no other origin is let in, so there is nothing more to say.
 * The 404 is a route too, because an app's own is not asked where the app is mounted in another.
 */
export function answerTheRest(app: RoleApp, operations: readonly Operation[], hosting: Hosting): void {
  for (const pattern of new Set(operations.map((operation) => operation.pattern))) {
    const methods = operations.flatMap((one) => (one.pattern === pattern ? [one.method] : []))
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
    app.all(pattern, (c) => {
      if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } })
      const error = new AmpereError('METHOD_NOT_ALLOWED', `this path answers ${allow}`)
      return problem(c, error, hosting.log, { allow })
    })
  }
  app.all('*', (c) => problem(c, noRoute(), hosting.log))
}

async function answer(c: Context, { operation, handle }: Route, hosting: Hosting): Promise<Response> {
  try {
    const path = parsePath(operation, c.req.param())
    const query = parseQuery(operation, new URL(c.req.url).searchParams)
    const body = operation.body ? await bodyOf(c.req.raw, operation.body) : new Uint8Array(0)
    return await handle(c, { path, query, body })
  } catch (error) {
    const wrongType = error instanceof AmpereError && error.code === 'UNSUPPORTED_MEDIA_TYPE'
    // RFC 9110 section 15.5.16: say what would have been accepted.
    const accepted = { accept: operation.body?.type ?? '', 'accept-encoding': 'identity' }
    return problem(c, error, hosting.log, wrongType ? accepted : {})
  }
}

function parsePath(operation: Operation, given: Readonly<Record<string, string>>): Parsed<Entries> {
  return parseEach(operation.path, (name) => given[name])
}

/** Unknown and repeated parameters are refused under /v1: ignoring a mistyped one would answer another question. */
function parseQuery(operation: Operation, given: URLSearchParams): Parsed<Entries> {
  const names = [...given.keys()]
  if (isStrict(operation)) {
    const known = Object.keys(operation.query)
    if (names.some((name) => !known.includes(name))) {
      const list = known.length === 0 ? 'none' : known.join(', ')
      throw new AmpereError('REQUEST_MALFORMED', `an unknown query parameter; known here: ${list}`)
    }
    if (new Set(names).size < names.length) {
      throw new AmpereError('REQUEST_MALFORMED', 'a query parameter is given twice')
    }
  }
  return parseEach(operation.query, (name) => given.get(name) ?? undefined)
}

/** True where everything unknown in a request is refused: all of /v1. */
export function isStrict(operation: Operation): boolean {
  return operation.pattern.startsWith('/v1/')
}

function parseEach(schemas: Entries, valueOf: (name: string) => string | undefined): Parsed<Entries> {
  const entries = Object.entries(schemas).map(([name, schema]) => {
    const result = v.safeParse(schema, valueOf(name), { abortEarly: true })
    if (result.success) return [name, result.output] as const
    throw new AmpereError('REQUEST_MALFORMED', `parameter ${name} is not of its form`)
  })
  return Object.fromEntries(entries)
}

async function bodyOf(request: Request, body: Body): Promise<Uint8Array<ArrayBuffer>> {
  if (body.type !== ANY_TYPE) requireType(request, body.type)
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity') {
    throw new AmpereError('UNSUPPORTED_MEDIA_TYPE', 'the body has a content encoding; none is accepted')
  }
  return readBody(request, LIMITS[body.limit].value, body.limit)
}

/** A query parameter that is an integer; `fallback` when it is absent. */
export function countParameter(min: number, max: number, fallback: number) {
  return v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(0|[1-9]\d{0,15})$/),
      v.transform(Number),
      v.number(),
      v.safeInteger(),
      v.minValue(min),
      v.maxValue(max),
    ),
    String(fallback),
  )
}
