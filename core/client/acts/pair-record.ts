// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { verifyJws } from '../../block/jws.ts'
import { REQUEST_TOLERANCE_MS } from '../../api/limits.ts'
import { parsePairing, signPairing } from '../../api/bridge/pairing.ts'
import { AmpereError } from '../../errors.ts'
import { activeInstanceOf, asOf } from '../../registry/snapshot.ts'
import type { Connection } from '../connect.ts'
import { syncRegistry } from '../read/replica.ts'

/** Signs this institution's request to join the chain behind `code`. */
export function requestPairing(connection: Connection, code: string): Promise<string> {
  const { now, identity, pins } = connection.ports
  return signPairing({ v: 1, registry: pins.registry, code, time: toTimestamp(now()) }, identity.signer)
}

/**
 * Who asks with which code: the signature must be by an active instance of the newest registry, made just now.
 * @throws AmpereError UNAUTHORIZED, JWS_MALFORMED, REQUEST_MALFORMED, SIGNATURE_INVALID
 */
export async function openPairing(
  connection: Connection,
  compact: string,
): Promise<{ readonly institution: InstitutionId; readonly code: string }> {
  const { jws, request } = parsePairing(compact)
  await syncRegistry(connection.sync)
  const newest = asOf(connection.sync.registry.newest(), connection.ports.now())
  const active = activeInstanceOf(newest, jws.kid)
  if (!active || request.registry !== connection.ports.pins.registry)
    throw new AmpereError('UNAUTHORIZED', 'the request is not signed by an active instance of this registry')
  await verifyJws(jws, active.key.jwk, connection.sync.verifiers)
  if (Math.abs(timestampMs(request.time) - connection.ports.now()) > REQUEST_TOLERANCE_MS)
    throw new AmpereError('UNAUTHORIZED', 'the request was signed too long ago')
  return { institution: active.institution.id, code: request.code }
}
