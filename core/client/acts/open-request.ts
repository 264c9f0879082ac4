// SPDX-License-Identifier: Apache-2.0
import { isSignedFor, parseAuthorization, type SignedRequest } from '../../api/request.ts'
import { verifyJws } from '../../block/jws.ts'
import type { InstitutionId, Kid } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import { activeInstanceOf, asOf } from '../../registry/snapshot.ts'
import { syncRegistry, type SyncContext } from '../read/replica.ts'

/** A request that an app instance signed, as it came. */
export interface SignedCall {
  /** Of whoever is asked, from its settings; never what a Host header says. */
  readonly origin: string
  readonly method: string
  /** Path and query below the origin. */
  readonly target: string
  readonly body: Uint8Array
  readonly authorization: string | null
}

/** Who signed a request, as the newest registry lists it. */
export interface RequestSigner {
  readonly kid: Kid
  readonly institution: InstitutionId
  readonly capabilities: readonly string[]
  readonly request: SignedRequest
}

/**
 * The active app instance that signed exactly this, about now; the registry is read anew, after all that costs nothing.
 * @throws AmpereError UNAUTHORIZED, JWS_MALFORMED, REQUEST_MALFORMED, SIGNATURE_INVALID; as `syncRegistry` does
 */
export async function openRequest(sync: SyncContext, call: SignedCall): Promise<RequestSigner> {
  const { jws, request } = parseAuthorization(call.authorization)
  if (!isSignedFor(request, call, sync.now()))
    throw new AmpereError('UNAUTHORIZED', 'request: the signature is for another request or time')
  await syncRegistry(sync)
  const active = activeInstanceOf(asOf(sync.registry.newest(), sync.now()), jws.kid)
  if (!active) throw new AmpereError('UNAUTHORIZED', 'request: the key is not active')
  await verifyJws(jws, active.key.jwk, sync.verifiers)
  const { institution, instance } = active
  return { kid: jws.kid, institution: institution.id, capabilities: instance.capabilities, request }
}
