// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { digest, opId, parseWith, timestamp } from '../bytes/schema.ts'
import { toBase64url } from '../bytes/encoding.ts'
import { toTimestamp } from '../bytes/timestamp.ts'
import { parseJws, signJws, type OpenedJws } from '../block/jws.ts'
import { digestOf } from '../crypto/hash.ts'
import type { Now, Random, Signer } from '../ports/keys.ts'

/** Payload of the Authorization header. */
export const signedRequest = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  method: v.picklist(['GET', 'POST']),
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
  request: { method: 'GET' | 'POST'; url: URL; body: Uint8Array },
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

/** @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED */
export function parseAuthorization(compact: string): { jws: OpenedJws; request: SignedRequest } {
  const jws = parseJws(compact, 'ampere-request+jws', 8 * 1024)
  return { jws, request: parseWith(signedRequest, jws.payload, 'REQUEST_MALFORMED', 'signed request') }
}
