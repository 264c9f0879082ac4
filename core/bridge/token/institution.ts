// SPDX-License-Identifier: Apache-2.0
import { isSignedFor, parseAuthorization } from '../../api/request.ts'
import { REQUEST_TOLERANCE_MS } from '../../api/limits.ts'
import { verifyJws } from '../../block/jws.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import type { InstitutionId } from '../../bytes/ids.ts'
import { syncRegistry, type SyncContext } from '../../client/read/replica.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Now } from '../../ports/keys.ts'
import { activeInstanceOf } from '../../registry/snapshot.ts'
import type { Marks } from '../store/marks.ts'

/** What an institution is known by at its own bridge. */
export interface InstitutionLogin {
  readonly institution: InstitutionId
  /** The bridge's own, from its settings; never what a Host header says. */
  readonly origin: string
  /** The registry as the bridge's own connection verifies it. */
  readonly sync: SyncContext
  /** Of all processes of the bridge together. */
  readonly usedAssertions: Marks
  readonly now: Now
}

/** A request that its institution signed, as it came. */
export interface SignedCall {
  readonly method: string
  /** Path and query below the origin. */
  readonly target: string
  readonly body: Uint8Array
  readonly authorization: string | null
}

/**
 * Checks that an app instance of this bridge's institution signed exactly this, for this bridge and about now, and that it counts for the
 * first time: one that is active in the newest registry and has the capability `control`, as whoever grants to others has. What costs most
 * comes last, and only who could sign a request uses it up.
 * @throws AmpereError UNAUTHORIZED, in the same words whatever is wrong; as `syncRegistry` where the home does not answer
 */
export async function authenticateInstitution(login: InstitutionLogin, call: SignedCall): Promise<void> {
  const { jws, request } = await orRefused(async () => parseAuthorization(call.authorization))
  if (!isSignedFor(request, { ...call, origin: login.origin }, login.now())) throw refused()
  await syncRegistry(login.sync)
  const active = activeInstanceOf(login.sync.registry.newest(), jws.kid)
  const isOurs = active?.institution.id === login.institution
  if (!isOurs || !active.instance.capabilities.includes('control')) throw refused()
  await orRefused(() => verifyJws(jws, active.key.jwk, login.sync.verifiers))
  // For processes whose clocks differ as much as they may. As JSON of three, which the name of no client's assertion is.
  const untilMs = timestampMs(request.time) + 2 * REQUEST_TOLERANCE_MS
  const name = JSON.stringify(['request', jws.kid, request.nonce])
  if (!(await login.usedAssertions.mark(untilMs, name))) throw refused()
}

async function orRefused<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const isTheirs = isAmpereError(
      error,
      'UNAUTHORIZED',
      'JWS_MALFORMED',
      'REQUEST_MALFORMED',
      'SIGNATURE_INVALID',
    )
    throw isTheirs ? refused() : error
  }
}

function refused(): AmpereError {
  return new AmpereError(
    'UNAUTHORIZED',
    'request: it is not signed by an active app instance of this institution with the capability control, for this bridge, exactly this and now, or it was used before',
  )
}
