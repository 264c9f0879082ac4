// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { chainId, digest, parseWith, timestamp } from '../../bytes/schema.ts'
import { parseJws, signJws, type OpenedJws } from '../../block/jws.ts'
import type { Signer } from '../../ports/keys.ts'

const pairingRequest = v.strictObject({
  v: v.literal(1),
  /** Registry that the asking institution is listed in. */
  registry: digest,
  code: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  time: timestamp,
})

/** An institution's wish to join a patient's chain, with the code that it was told. */
export type PairingRequest = v.InferOutput<typeof pairingRequest>

/** Answer: the chain that the institution was granted to read and append to. */
export const pairingAnswer = v.object({ chain: chainId })

/** Content type of a pairing request and of other signed statements over HTTP (RFC 7515 section 9.2.1). */
export const JOSE_TYPE = 'application/jose'

/** Signs a request as `ampere-pairing+jws`, with an instance's key. */
export function signPairing(request: PairingRequest, signer: Signer): Promise<string> {
  return signJws('ampere-pairing+jws', request, signer)
}

/** @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED */
export function parsePairing(compact: string): { readonly jws: OpenedJws; readonly request: PairingRequest } {
  const jws = parseJws(compact, 'ampere-pairing+jws', 8 * 1024)
  return { jws, request: parseWith(pairingRequest, jws.payload, 'REQUEST_MALFORMED', 'pairing request') }
}
