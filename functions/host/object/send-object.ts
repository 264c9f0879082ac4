// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { Digest } from '#core/bytes/ids.ts'
import { AmpereError } from '#core/errors.ts'
import type { ByteRange } from '#core/ports/objects.ts'
import { rangeOf } from './range.ts'

/**
 * Answers with a sealed object, or with the range of it that was asked for.
 * @param maxBytes what passes in one answer: larger ranges are cut to it; null for any
 * @param read the object, or a range of it; null where it is not here
 * @throws AmpereError GONE, RANGE_NOT_SATISFIABLE, TOO_LARGE for an object that does not pass whole
 */
export async function sendObject(
  c: Context,
  root: Digest,
  maxBytes: number | null,
  read: (range?: ByteRange) => Promise<Uint8Array | null>,
): Promise<Response> {
  const etag = `"${root}"`
  const headers = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', etag }
  // HEAD only asks whether it is there; RFC 9110 section 14.2 gives Range no meaning for it.
  if (c.req.method === 'HEAD') {
    here(await read({ start: 0, end: 1 }))
    return c.body(null, 200, headers)
  }
  const asked = rangeOf(c.req.header('range'), c.req.header('if-range'), etag)
  const range =
    asked && maxBytes !== null ? { ...asked, end: Math.min(asked.end, asked.start + maxBytes) } : asked
  // One byte more tells an object that does not pass as a whole.
  const whole = maxBytes === null ? undefined : { start: 0, end: maxBytes + 1 }
  const bytes = here(await read(range ?? whole))
  if (!range && maxBytes !== null && bytes.length > maxBytes)
    throw new AmpereError('TOO_LARGE', `the object is larger than ${maxBytes} bytes: ask for ranges of it`)
  if (!range) return c.body(bytes, 200, headers)
  if (bytes.length === 0) throw new AmpereError('RANGE_NOT_SATISFIABLE', 'the range begins past the end')
  const given = `bytes ${range.start}-${range.start + bytes.length - 1}/*`
  return c.body(bytes, 206, { ...headers, 'content-range': given })
}

function here(bytes: Uint8Array | null): Uint8Array<ArrayBuffer> {
  if (!bytes) throw new AmpereError('GONE', 'the sealed object is not here')
  return bytes as Uint8Array<ArrayBuffer>
}
