// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { AmpereError } from '#core/errors.ts'
import { before } from '#core/order/deadline.ts'
import { readBody } from '#core/order/read-body.ts'
import type { Fetch } from '#core/ports/keys.ts'

/** Another operator's server that has not answered by then is given up, in milliseconds. */
export const ANSWER_MS = 5000

/** What was answered. */
export interface Fetched {
  readonly status: number
  readonly text: string
}

/**
 * Fetches a text from somebody else's server: bounded in time and bytes, and from nowhere else than where it was asked.
 * @throws AmpereError UPSTREAM_FAILED, saying why and nothing that was answered
 */
export async function fetchText(fetch: Fetch, url: string, maxBytes: number): Promise<Fetched> {
  const signal = AbortSignal.timeout(ANSWER_MS)
  let response: Response
  try {
    response = await before(fetch(new Request(url, { signal, redirect: 'error' })), signal, 'it')
  } catch (cause) {
    throw failed(signal.aborted ? 'it does not answer' : `it cannot be reached${reasonOf(cause)}`, cause)
  }
  try {
    const bytes = await readBody(response, { maxBytes, beyond: 'fail', who: 'it' }, signal)
    return { status: response.status, text: fromUtf8(bytes) }
  } catch (cause) {
    throw failed('its answer does not end, or is no text of that length', cause)
  }
}

/** The system's own word, as ECONNREFUSED; what others wrote is not repeated. */
function reasonOf(error: unknown): string {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = (cause as Error).cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) return ` (${code})`
  }
  return ''
}

function failed(what: string, cause: unknown): AmpereError {
  return new AmpereError('UPSTREAM_FAILED', what, { cause })
}
