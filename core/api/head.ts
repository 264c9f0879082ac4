// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { blockId, chainId, count, digest, parseWith, timestamp } from '../bytes/schema.ts'
import { parseJws, signJws, verifyJws, type OpenedJws } from '../block/jws.ts'
import type { Verifiers } from '../crypto/signature.ts'
import type { PublicJwk, Signer } from '../ports/keys.ts'

/** Payload of `ampere-head+jws`. */
export const headStatement = v.strictObject({
  v: v.literal(1),
  chain: chainId,
  height: count,
  block: blockId,
  registry: v.strictObject({ height: count, id: digest }),
  time: timestamp,
  origin: v.string(),
  durability: v.picklist(['local', 'region', 'mirrored']),
})

/** What a home says of a chain's newest block; two that conflict are evidence against it. */
export type HeadStatement = v.InferOutput<typeof headStatement>

/** Signs a head statement as `ampere-head+jws`. */
export function signHead(head: HeadStatement, signer: Signer): Promise<string> {
  return signJws('ampere-head+jws', head, signer)
}

/** @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED */
export function parseHead(compact: string): { readonly jws: OpenedJws; readonly head: HeadStatement } {
  const jws = parseJws(compact, 'ampere-head+jws', 8 * 1024)
  return { jws, head: parseWith(headStatement, jws.payload, 'REQUEST_MALFORMED', 'head statement') }
}

/** Parses and verifies with the deployment's key. @throws AmpereError SIGNATURE_INVALID and those of `parseHead` */
export async function openHead(
  compact: string,
  key: PublicJwk,
  verifiers: Verifiers,
): Promise<HeadStatement> {
  const { jws, head } = parseHead(compact)
  await verifyJws(jws, key, verifiers)
  return head
}
