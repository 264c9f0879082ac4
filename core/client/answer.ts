// SPDX-License-Identifier: Apache-2.0
import { ask, type Answer } from '../order/ask.ts'
import type { Deadline } from '../order/deadline.ts'
import { readBody, type BodyLimits } from '../order/read-body.ts'
import type { Fetch } from '../ports/keys.ts'

/** What one call may cost. */
export type CallLimits = Omit<BodyLimits, 'who'>

/** How long an answer may take to begin, in milliseconds, beside the time that sending the request may take. */
export const FIRST_ANSWER_MS = 60_000
/** A connection that is slower than so many bytes per second is given up. */
export const MIN_BYTES_PER_SECOND = 128 * 1024
/** Largest problem document that is read, in bytes. */
export const MAX_PROBLEM_BYTES = 16 * 1024

/**
 * Sends a request and reads the answer to its end, within `limits` and two deadlines: one for its first byte, one for
 * its last. What the other side claims of length is believed only where it is too much.
 * @throws AmpereError UPSTREAM_FAILED whatever fails: whether the request was carried out is then unknown
 */
export async function call(
  ports: { readonly fetch: Fetch; readonly deadline?: Deadline | undefined; readonly who?: string },
  request: { readonly url: URL; readonly init: RequestInit; readonly bytes: number },
  limits: CallLimits,
): Promise<Answer> {
  const deadline = ports.deadline ?? ((ms) => AbortSignal.timeout(ms))
  const firstMs = FIRST_ANSWER_MS + transferMs(request.bytes)
  const [first, last] = [deadline(firstMs), deadline(firstMs + transferMs(limits.maxBytes))]
  const refusal: CallLimits = { maxBytes: MAX_PROBLEM_BYTES, beyond: 'cut' }
  return ask(ports.fetch, request, {
    who: ports.who ?? HOME,
    first,
    last,
    limits: ({ ok }) => (ok ? limits : refusal),
  })
}

/** A body as JSON; null for one that is none, is larger, or does not end in time. */
export async function jsonOrNull(response: Response, maxBytes: number, last: AbortSignal): Promise<unknown> {
  try {
    const bytes = await readBody(response, { maxBytes, beyond: 'fail', who: HOME }, last)
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

/** Who is called, in messages, where nobody else is named. */
export const HOME = 'the home'

function transferMs(bytes: number): number {
  return Math.ceil((bytes / MIN_BYTES_PER_SECOND) * 1000)
}
