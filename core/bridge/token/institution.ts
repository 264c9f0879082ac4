// SPDX-License-Identifier: Apache-2.0
import { REQUEST_TOLERANCE_MS } from '../../api/limits.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import type { InstitutionId } from '../../bytes/ids.ts'
import { openRequest, type SignedCall } from '../../client/acts/open-request.ts'
import type { SyncContext } from '../../client/read/replica.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Marks } from '../store/marks.ts'

const THEIRS = ['UNAUTHORIZED', 'JWS_MALFORMED', 'REQUEST_MALFORMED', 'SIGNATURE_INVALID'] as const

/** What an institution is known by at its own bridge. */
export interface InstitutionLogin {
  readonly institution: InstitutionId
  /** The bridge's own, from its settings; never what a Host header says. */
  readonly origin: string
  /** The registry as the bridge's own connection verifies it. */
  readonly sync: SyncContext
  /** Of all processes of the bridge together. */
  readonly usedAssertions: Marks
}

/**
 * Checks that an app instance of this bridge's institution signed exactly this, for this bridge and about now, and that it counts for the
 * first time: one that is active in the newest registry and has the capability `control`, as whoever grants to others has. What costs most
 * comes last, and only who could sign a request uses it up.
 * @throws AmpereError UNAUTHORIZED, in the same words whatever is wrong; as `syncRegistry` where the home does not answer
 */
export async function authenticateInstitution(
  login: InstitutionLogin,
  call: Omit<SignedCall, 'origin'>,
): Promise<void> {
  const { origin, sync } = login
  const by = await orRefused(() => openRequest(sync, { ...call, origin }))
  if (by.institution !== login.institution || !by.capabilities.includes('control')) throw refused()
  // For processes whose clocks differ as much as they may. As JSON of three, which the name of no client's assertion is.
  const untilMs = timestampMs(by.request.time) + 2 * REQUEST_TOLERANCE_MS
  const name = JSON.stringify(['request', by.kid, by.request.nonce])
  if (!(await login.usedAssertions.mark(untilMs, name))) throw refused()
}

/** What of it is the asker's fault is said in one way; that the home does not answer is not. */
async function orRefused<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw isAmpereError(error, ...THEIRS) ? refused() : error
  }
}

function refused(): AmpereError {
  return new AmpereError(
    'UNAUTHORIZED',
    'request: it is not signed by an active app instance of this institution with the capability control, for this bridge, exactly this and now, or it was used before',
  )
}
