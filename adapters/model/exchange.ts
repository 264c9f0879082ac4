// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { isAmpereError } from '#core/errors.ts'
import { before } from '#core/order/deadline.ts'
import { readBody } from '#core/order/read-body.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { askingFailed, failedAnswer, type ModelFailure } from '#core/ports/language-model.ts'

/** Bytes of an answer that are read: some 250,000 tokens, more than any model gives at once. */
export const MAX_ANSWER_BYTES = 1024 * 1024
/** A server that wants to be left alone for longer is asked again after a day. */
const MAX_RETRY_AFTER_SECONDS = 86_400

/** The failure that a server names in a refusal by words of its own; null leaves it to the status. */
export type NamedFailure = (body: unknown, headers: Headers) => ModelFailure | null

/**
 * Sends one question and reads the JSON that comes back, unparsed by anybody else. A redirection is followed nowhere.
 * @throws AmpereError as the port says, for every status but 200 as well
 */
export async function exchange(
  fetch: Fetch,
  { url, init }: { readonly url: URL; readonly init: RequestInit },
  { signal, named }: { readonly signal: AbortSignal; readonly named: NamedFailure },
): Promise<unknown> {
  if (signal.aborted) throw askingFailed('late')
  const stop = new AbortController()
  const request = new Request(url, { ...init, method: 'POST', redirect: 'error', signal: stop.signal })
  try {
    const response = await before(fetch(request), signal, WHO)
    const bytes = await readBody(response, { maxBytes: MAX_ANSWER_BYTES, beyond: 'fail', who: WHO }, signal)
    if (response.status === 200) return parsed(bytes)
    const failure = named(parsedOrNull(bytes), response.headers) ?? failureOfStatus(response.status)
    throw askingFailed(failure, { retryAfterSeconds: retryAfter(response.headers) })
  } catch (error) {
    // Closes the connection, whether it still waits or still sends.
    stop.abort()
    throw failureOf(error, signal)
  }
}

/** What `work` gives, unless the signal aborts first. @throws AmpereError `late` when it does */
export async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await before(work, signal, WHO)
  } catch (error) {
    throw signal.aborted ? askingFailed('late') : error
  }
}

/** JSON as JSON.parse reads it. V8 quotes a text that it cannot parse in the error, which therefore ends here. @throws AmpereError */
export function parsed(text: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : fromUtf8(text))
  } catch {
    throw askingFailed('malformed')
  }
}

/** Who is asked, in messages that `failureOf` replaces. */
const WHO = 'the language model'

function parsedOrNull(bytes: Uint8Array): unknown {
  try {
    return parsed(bytes)
  } catch {
    return null
  }
}

function failureOf(error: unknown, signal: AbortSignal): Error {
  if (isAmpereError(error) && failedAnswer(error)) return error
  if (signal.aborted) return askingFailed('late')
  // What fetch throws is not kept: an error of its parser carries what was answered.
  return askingFailed(isAmpereError(error) ? 'oversized' : 'unreachable')
}

function failureOfStatus(status: number): ModelFailure {
  if (status === 401 || status === 403) return 'barred'
  if (status === 404) return 'unknown-model'
  if (status === 408) return 'late'
  if (status === 413) return 'too-long'
  if (status === 429) return 'busy'
  // Bedrock's ModelErrorException: the model behind the service failed.
  if (status === 424) return 'broken'
  return status >= 400 && status < 500 ? 'unsupported' : 'broken'
}

/** RFC 9110 section 10.2.3: seconds, or a date, which is compared with the server's own clock. */
function retryAfter(headers: Headers): number | null {
  const text = headers.get('retry-after') ?? ''
  const seconds = /^\d{1,9}$/.test(text)
    ? Number(text)
    : Math.ceil((dateMs(text) - dateMs(headers.get('date') ?? '')) / 1000)
  return Number.isNaN(seconds) ? null : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS)
}

/** IMF-fixdate of RFC 9110 section 5.6.7; Date.parse alone would take `-7` for a year. */
function dateMs(text: string): number {
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)
    ? Date.parse(text)
    : Number.NaN
}
