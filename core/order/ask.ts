// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '../errors.ts'
import { before } from './deadline.ts'
import { readBody, type BodyLimits } from './read-body.ts'

/** An answer that was read to its end. */
export interface Answer {
  readonly ok: boolean
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** How somebody who is not trusted is asked. */
export interface AskOptions {
  /** Who is asked, in messages: `the home`. */
  readonly who: string
  /** What aborts it before the answer begins. */
  readonly first: AbortSignal
  /** What aborts it before the answer has ended; the same where it is left out. */
  readonly last?: AbortSignal
  /** How much of the body is read; null leaves it, and its bytes are none. */
  readonly limits: (response: Pick<Response, 'ok' | 'status'>) => Omit<BodyLimits, 'who'> | null
}

/**
 * Sends a request and reads its answer. A redirection is no answer: whoever is asked must not send what is asked, or a
 * signed block, to anybody else.
 * @throws AmpereError UPSTREAM_FAILED whatever fails: whether the request was carried out is then unknown
 */
export async function ask(
  fetch: (request: Request) => Promise<Response>,
  { url, init }: { readonly url: URL | string; readonly init: RequestInit },
  { who, first, last = first, limits }: AskOptions,
): Promise<Answer> {
  const stop = new AbortController()
  try {
    const request = new Request(url, { ...init, redirect: 'error', signal: stop.signal })
    const response = await before(fetch(request), first, who)
    const { ok, status, headers } = response
    const given = limits({ ok, status })
    if (given) return { ok, status, headers, bytes: await readBody(response, { ...given, who }, last) }
    void response.body?.cancel().catch(() => undefined)
    return { ok, status, headers, bytes: new Uint8Array(0) }
  } catch (cause) {
    // Closes the connection, whether it still waits or still sends.
    stop.abort()
    if (isAmpereError(cause, 'UPSTREAM_FAILED')) throw cause
    throw new AmpereError('UPSTREAM_FAILED', `${who} cannot be reached`, { cause })
  }
}
