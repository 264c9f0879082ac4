// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { FOR_EVER } from '../host/app.ts'
import { sha256 } from '#core/crypto/hash.ts'

/** c2sp.org/tlog-tiles: a few seconds at most. */
const BRIEFLY = 'public, max-age=1'

/** The checkpoint as it is cached and compared. */
export function sendCheckpoint(c: Context, note: string): Response {
  return send(c, utf8(note), { 'content-type': 'text/plain; charset=utf-8', 'cache-control': BRIEFLY })
}

/** A tile or bundle; bundles are gzipped for whoever takes that, where that is smaller. */
export async function sendLogFile(c: Context, path: string, bytes: Uint8Array): Promise<Response> {
  const headers = { 'content-type': 'application/octet-stream', 'cache-control': FOR_EVER }
  if (!path.startsWith('tile/entries/')) return send(c, bytes, headers)
  const varying = { ...headers, vary: 'accept-encoding' }
  if (!acceptsGzip(c.req.header('accept-encoding'))) return send(c, bytes, varying)
  const zipped = await gzip(bytes)
  // Hashes do not compress; what is larger is of use to nobody.
  if (zipped.length >= bytes.length) return send(c, bytes, varying)
  return send(c, zipped, { ...varying, 'content-encoding': 'gzip' })
}

function send(c: Context, bytes: Uint8Array, headers: Readonly<Record<string, string>>): Response {
  const etag = `"${toBase64url(sha256(bytes))}"`
  const isKnown = (c.req.header('if-none-match') ?? '')
    .split(',')
    .some((given) => given.trim() === '*' || given.trim().replace(/^W\//, '') === etag)
  // RFC 9110 section 15.4.5: what would have been sent with the bytes comes without them.
  if (isKnown) {
    const cached = Object.entries(headers).filter(([name]) => !name.startsWith('content-'))
    return c.body(null, 304, { etag, ...Object.fromEntries(cached) })
  }
  // HEAD gives its headers without the bytes, which would be counted otherwise.
  const length = String(bytes.length)
  return c.body(bytes as Uint8Array<ArrayBuffer>, 200, { etag, 'content-length': length, ...headers })
}

/** RFC 9110 section 12.5.3; a weight of 0 refuses. */
function acceptsGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase())
    const weight = parameters.find((each) => each.startsWith('q='))?.slice(2)
    return (name === 'gzip' || name === '*') && (weight === undefined || Number(weight) > 0)
  })
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
