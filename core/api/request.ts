// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { digest, opId, parseWith, timestamp } from '../bytes/schema.ts'
import { toBase64url } from '../bytes/encoding.ts'
import { timestampMs, toTimestamp } from '../bytes/timestamp.ts'
import { parseJws, signJws, type OpenedJws } from '../block/jws.ts'
import { digestOf } from '../crypto/hash.ts'
import { AmpereError } from '../errors.ts'
import type { Now, Random, Signer } from '../ports/keys.ts'
import { REQUEST_TOLERANCE_MS } from './limits.ts'

/** Payload of the Authorization header. */
export const signedRequest = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  method: v.picklist(['GET', 'POST', 'PUT', 'DELETE']),
  /** Path and query. */
  target: v.string(),
  body: digest,
  time: timestamp,
  nonce: opId,
})

/** What an app instance signs so that a home knows who asks: exactly this request, for two minutes. */
export type SignedRequest = v.InferOutput<typeof signedRequest>

/** Scheme of the Authorization header that carries the signed request. */
export const AUTH_SCHEME = 'Ampere'

/** The value of the Authorization header for one request. */
export async function authorize(
  request: { method: SignedRequest['method']; url: URL; body: Uint8Array },
  ports: { now: Now; random: Random; signer: Signer },
): Promise<string> {
  const payload = {
    v: 1,
    origin: request.url.origin,
    method: request.method,
    target: request.url.pathname + request.url.search,
    body: digestOf(request.body),
    time: toTimestamp(ports.now()),
    nonce: toBase64url(ports.random(16)),
  }
  return `${AUTH_SCHEME} ${await signJws('ampere-request+jws', payload, ports.signer)}`
}

/** What an Authorization header holds. @throws AmpereError UNAUTHORIZED where it is none of ours, JWS_MALFORMED, REQUEST_MALFORMED */
export function parseAuthorization(header: string | null): { jws: OpenedJws; request: SignedRequest } {
  const [scheme, compact] = (header ?? '').split(' ')
  if (scheme !== AUTH_SCHEME || !compact)
    throw new AmpereError('UNAUTHORIZED', 'request: the Authorization header is missing')
  const jws = parseJws(compact, 'ampere-request+jws', 8 * 1024)
  return { jws, request: parseWith(signedRequest, jws.payload, 'REQUEST_MALFORMED', 'signed request') }
}

/** Was exactly this request signed, for whoever judges it and about now? `origin` is the judge's own, as its settings have it. */
export function isSignedFor(
  signed: SignedRequest,
  request: {
    readonly origin: string
    readonly method: string
    readonly target: string
    readonly body: Uint8Array
  },
  nowMs: number,
): boolean {
  return (
    signed.origin === request.origin &&
    signed.method === request.method &&
    signed.target === request.target &&
    signed.body === digestOf(request.body) &&
    Math.abs(timestampMs(signed.time) - nowMs) <= REQUEST_TOLERANCE_MS
  )
}
