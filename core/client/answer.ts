// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '../errors.ts'
import { before, type Deadline } from '../order/deadline.ts'
import type { Fetch } from '../ports/keys.ts'

/** An answer that was read to its end. */
export interface Answer {
  readonly ok: boolean
  readonly status: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What one call may cost. */
export interface CallLimits {
  /** Bytes of the answer that are read. */
  readonly maxBytes: number
  /** What to do beyond it: fail, or take what fits, where the rest says nothing. */
  readonly beyond: 'fail' | 'cut'
}

/** How long an answer may take to begin, in milliseconds, beside the time that sending the request may take. */
export const FIRST_ANSWER_MS = 60_000
/** A connection that is slower than so many bytes per second is given up. */
export const MIN_BYTES_PER_SECOND = 128 * 1024
/** Largest problem document that is read, in bytes. */
export const MAX_PROBLEM_BYTES = 16 * 1024

/**
 * Sends a request and reads the answer to its end, within `limits` and two deadlines: one for its first byte, one for
 * its last. What the other side claims of length is believed only where it is too much, and a redirection is no answer:
 * whoever is asked must not send what is asked, or a signed block, to anybody else.
 * @throws AmpereError UPSTREAM_FAILED whatever fails: whether the request was carried out is then unknown
 */
export async function call(
  ports: { readonly fetch: Fetch; readonly deadline?: Deadline | undefined },
  request: { readonly url: URL; readonly init: RequestInit; readonly bytes: number },
  limits: CallLimits,
): Promise<Answer> {
  const deadline = ports.deadline ?? ((ms) => AbortSignal.timeout(ms))
  const firstMs = FIRST_ANSWER_MS + transferMs(request.bytes)
  const [first, last] = [deadline(firstMs), deadline(firstMs + transferMs(limits.maxBytes))]
  const stop = new AbortController()
  try {
    const { url, init } = request
    const asking = ports.fetch(new Request(url, { ...init, redirect: 'error', signal: stop.signal }))
    const response = await before(asking, first, HOME)
    const given: CallLimits = response.ok ? limits : { maxBytes: MAX_PROBLEM_BYTES, beyond: 'cut' }
    const { ok, status } = response
    return { ok, status, bytes: await readBody(response, given, last) }
  } catch (cause) {
    // Closes the connection, whether it still waits or still sends.
    stop.abort()
    if (isAmpereError(cause, 'UPSTREAM_FAILED')) throw cause
    throw new AmpereError('UPSTREAM_FAILED', 'the home cannot be reached', { cause })
  }
}

/**
 * Reads a body until its end, and never holds more than `maxBytes` of it (twice that while its buffer grows).
 * @throws AmpereError UPSTREAM_FAILED beyond that, unless it is to be cut, and when `last` aborts
 */
export async function readBody(
  response: Response,
  { maxBytes, beyond }: CallLimits,
  last: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.body) return new Uint8Array(0)
  const reader = response.body.getReader()
  try {
    if (beyond === 'fail' && Number(response.headers.get('content-length') ?? 0) > maxBytes)
      throw tooLarge(maxBytes)
    let [bytes, length] = [new Uint8Array(Math.min(maxBytes, FIRST_BUFFER_BYTES)), 0]
    for (;;) {
      const { done, value } = await before(reader.read(), last, HOME)
      if (done) return bytes.subarray(0, length)
      const room = maxBytes - length
      if (value.length > room && beyond === 'fail') throw tooLarge(maxBytes)
      const taken = value.subarray(0, room)
      bytes = withRoom(bytes, length, taken.length, maxBytes)
      bytes.set(taken, length)
      length += taken.length
      if (value.length > room) return bytes.subarray(0, length)
    }
  } finally {
    // Ends the sender's work where the body was left before its end; after it, this does nothing.
    void reader.cancel().catch(() => undefined)
  }
}

/** A body as JSON; null for one that is none, is larger, or does not end in time. */
export async function jsonOrNull(response: Response, maxBytes: number, last: AbortSignal): Promise<unknown> {
  try {
    const bytes = await readBody(response, { maxBytes, beyond: 'fail' }, last)
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

/** One buffer that doubles: a list of chunks would let a sender of single bytes fill the memory with the list. */
function withRoom(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  added: number,
  maxBytes: number,
): Uint8Array<ArrayBuffer> {
  if (length + added <= bytes.length) return bytes
  const larger = new Uint8Array(Math.min(maxBytes, Math.max(length + added, 2 * bytes.length)))
  larger.set(bytes.subarray(0, length))
  return larger
}

/** Who is called, in messages. */
const HOME = 'the home'
const FIRST_BUFFER_BYTES = 16 * 1024

function transferMs(bytes: number): number {
  return Math.ceil((bytes / MIN_BYTES_PER_SECOND) * 1000)
}

function tooLarge(maxBytes: number): AmpereError {
  // Not TOO_LARGE, which says of a request that it was refused: after this nobody knows.
  return new AmpereError('UPSTREAM_FAILED', `the home answered with more than ${maxBytes} bytes`)
}
