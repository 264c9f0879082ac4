// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'
import { before } from './deadline.ts'

/** How much of a body is read, and of whom. */
export interface BodyLimits {
  readonly maxBytes: number
  /** What to do beyond it: fail, or take what fits, where the rest says nothing. */
  readonly beyond: 'fail' | 'cut'
  /** Who sends it, in messages: `the home`. */
  readonly who: string
}

/** The body of a request or an answer. */
export type Bodied = Pick<Response, 'body' | 'headers'>

const FIRST_BUFFER_BYTES = 16 * 1024

/**
 * Reads a body until its end, and never holds more than `maxBytes` of it (twice that while its buffer grows). What the
 * other side claims of length is believed only where it is too much.
 * @param last what aborts it; null where whoever serves ends a body that takes too long
 * @throws AmpereError UPSTREAM_FAILED beyond the limit, unless it is to be cut, and when `last` aborts; else as the
 * stream does
 */
export async function readBody(
  { body, headers }: Bodied,
  { maxBytes, beyond, who }: BodyLimits,
  last: AbortSignal | null,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!body) return new Uint8Array(0)
  const reader = body.getReader()
  try {
    if (beyond === 'fail' && Number(headers.get('content-length') ?? 0) > maxBytes)
      throw tooLarge(maxBytes, who)
    let [bytes, length] = [new Uint8Array(Math.min(maxBytes, FIRST_BUFFER_BYTES)), 0]
    for (;;) {
      const { done, value } = await (last ? before(reader.read(), last, who) : reader.read())
      if (done) return bytes.subarray(0, length)
      const room = maxBytes - length
      if (value.length > room && beyond === 'fail') throw tooLarge(maxBytes, who)
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

function tooLarge(maxBytes: number, who: string): AmpereError {
  // Not TOO_LARGE, which says of a request that it was refused: after this nobody knows.
  return new AmpereError('UPSTREAM_FAILED', `${who} answered with more than ${maxBytes} bytes`)
}
