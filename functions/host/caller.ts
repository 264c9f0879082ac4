// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { ControlState } from '#core/chain/state.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Now } from '#core/ports/keys.ts'
import { authenticate, type Caller } from '#core/server/authenticate.ts'
import type { Home } from '#core/server/home.ts'

/**
 * Who sent a request, by its Authorization header. HEAD is signed as the GET that it stands for (RFC 9110
 * section 9.3.2). `state` is that of the chain which the request names, for the keys of its devices; `body` what is posted.
 * @throws AmpereError UNAUTHORIZED, whatever is wrong with the header
 */
export async function callerOf(
  c: Context,
  home: Home,
  now: Now,
  state: ControlState | null,
  body: Uint8Array = new Uint8Array(0),
): Promise<Caller> {
  const request = {
    method: c.req.method === 'HEAD' ? 'GET' : c.req.method,
    url: new URL(c.req.url),
    body,
    authorization: c.req.header('authorization') ?? null,
    now,
  }
  try {
    return await authenticate(home, request, state)
  } catch (cause) {
    const isTheirs = isAmpereError(cause, 'JWS_MALFORMED', 'REQUEST_MALFORMED', 'SIGNATURE_INVALID')
    if (!isTheirs) throw cause
    throw new AmpereError('UNAUTHORIZED', `request: ${cause.message}`, { cause })
  }
}
