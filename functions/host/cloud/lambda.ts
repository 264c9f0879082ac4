// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { RowName } from '#core/ports/table.ts'
import type { Hosting } from '../app.ts'
import { problemResponse } from '../problem.ts'
import { askRole, openAtOnce, wakeRole, type OpenRole } from './hosted.ts'

/** An HTTP API's request, payload format 2.0 (AWS: Working with AWS Lambda proxy integrations for HTTP APIs). */
export interface HttpEvent {
  readonly version: '2.0'
  readonly rawPath: string
  readonly rawQueryString: string
  /** Names in lower case; values of a repeated header are joined by commas. */
  readonly headers?: Readonly<Record<string, string>>
  readonly requestContext: { readonly http: { readonly method: string } }
  readonly body?: string
  readonly isBase64Encoded?: boolean
}

export interface HttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly isBase64Encoded: boolean
}

/** What a function is called with: a request, rows of a table's stream, or a schedule. */
export type LambdaEvent = HttpEvent | Readonly<Record<string, unknown>>

/** The rows that an event of a table's stream tells of; null where it cannot be read. */
export type ChangedRows = (event: Readonly<Record<string, unknown>>) => readonly RowName[] | null

/** Largest answer that Lambda passes on, in bytes of its JSON: 6 MB less what surrounds the body. */
const MAX_RESULT_BYTES = 6 * 1024 * 1024 - 16 * 1024
/** Statuses whose responses have no body (Fetch standard, null body status). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * A Lambda handler for a role, which is opened when this is called.
 * @param origin under which clients reach the home: what they signed names it, whatever host a request came through
 * @returns what rejects when the role was woken and failed, so that the platform tries again
 */
export function lambdaHandler(
  open: () => Promise<OpenRole>,
  origin: () => string,
  { log, changedRows }: Pick<Hosting, 'log'> & { readonly changedRows: ChangedRows },
): (event: LambdaEvent) => Promise<HttpResult | null> {
  const opened = openAtOnce(open)
  return async (event) => {
    if (!isHttp(event)) {
      // What cannot be read is looked for everywhere.
      await wakeRole(await opened(), ('Records' in event ? changedRows(event) : null) ?? 'schedule')
      return null
    }
    return resultOf(await askRole(opened, () => requestOf(event, origin()), log))
  }
}

function isHttp(event: LambdaEvent): event is HttpEvent {
  return 'rawPath' in event && 'requestContext' in event
}

/** The request as its client made it. @throws AmpereError REQUEST_MALFORMED */
export function requestOf(event: HttpEvent, origin: string): Request {
  const { method } = event.requestContext.http
  // The gateway decodes paths; what would end the path must not.
  const path = event.rawPath.replaceAll(/[?#]/g, encodeURIComponent)
  const query = event.rawQueryString === '' ? '' : `?${event.rawQueryString}`
  try {
    const body = bodyOf(event)
    const hasBody = body.length > 0 && method !== 'GET' && method !== 'HEAD'
    return new Request(`${origin}${path.startsWith('/') ? '' : '/'}${path}${query}`, {
      method,
      headers: headersOf(event, body.length),
      ...(hasBody ? { body } : {}),
    })
  } catch (cause) {
    throw new AmpereError('REQUEST_MALFORMED', 'the request cannot be read', { cause })
  }
}

/** The stated length is that of the bytes that arrived, whatever the client stated: the gateway has read them all. */
function headersOf({ headers = {} }: HttpEvent, bytes: number): Headers {
  const result = new Headers()
  for (const [name, value] of Object.entries(headers))
    if (name.toLowerCase() !== 'content-length') result.append(name, value)
  if (bytes > 0) result.set('content-length', String(bytes))
  return result
}

function bodyOf({ body = '', isBase64Encoded = false }: HttpEvent): Uint8Array<ArrayBuffer> {
  return isBase64Encoded ? new Uint8Array(Buffer.from(body, 'base64')) : new TextEncoder().encode(body)
}

/** Text travels as it is, all else in base64. An answer that Lambda would refuse is a problem that says what to do. */
export async function resultOf(response: Response): Promise<HttpResult> {
  const bytes = BODILESS.has(response.status)
    ? new Uint8Array(0)
    : new Uint8Array(await response.arrayBuffer())
  const type = response.headers.get('content-type') ?? ''
  const isText = /^text\/|[/+]json\b|^application\/(jose|xml)\b/.test(type) && isUtf8(bytes)
  const body = isText ? new TextDecoder().decode(bytes) : Buffer.from(bytes).toString('base64')
  const size = isText ? JSON.stringify(body).length : body.length
  if (size > MAX_RESULT_BYTES) return resultOf(problemResponse(tooLarge(), 'r_none'))
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body,
    isBase64Encoded: !isText,
  }
}

/** Only what decodes to the same bytes may travel as text; a byte order mark would be lost. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return !text.startsWith('\uFEFF')
  } catch {
    return false
  }
}

function tooLarge(): AmpereError {
  return new AmpereError(
    'UNSUPPORTED',
    'the answer is larger than 6 MB: ask for parts of it, by range or by page',
  )
}
