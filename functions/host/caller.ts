// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { InstitutionId } from '#core/bytes/ids.ts'
import type { ControlState } from '#core/chain/state.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Now } from '#core/ports/keys.ts'
import { authenticate, authenticateMember, type Caller } from '#core/server/authenticate.ts'
import type { Home } from '#core/server/home.ts'

/**
 * Who sent a request, by its Authorization header. HEAD is signed as the GET that it stands for (RFC 9110
 * section 9.3.2). `state` is that of the chain which the request names, for the keys of its devices; `body` what is posted.
 * @throws AmpereError UNAUTHORIZED, whatever is wrong with the header
 */
export function callerOf(
  c: Context,
  home: Home,
  now: Now,
  state: ControlState | null,
  body: Uint8Array = new Uint8Array(0),
): Promise<Caller> {
  return asUnauthorized(() => authenticate(home, requestOf(c, now, body), state))
}

/** The institution by whose root key or app instance a request without a body was signed. @throws AmpereError UNAUTHORIZED */
export function memberOf(c: Context, home: Home, now: Now): Promise<InstitutionId> {
  return asUnauthorized(() => authenticateMember(home, requestOf(c, now, new Uint8Array(0))))
}

function requestOf(c: Context, now: Now, body: Uint8Array) {
  return {
    method: c.req.method === 'HEAD' ? 'GET' : c.req.method,
    url: new URL(c.req.url),
    body,
    authorization: c.req.header('authorization') ?? null,
    now,
  }
}

async function asUnauthorized<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    const isTheirs = isAmpereError(cause, 'JWS_MALFORMED', 'REQUEST_MALFORMED', 'SIGNATURE_INVALID')
    if (!isTheirs) throw cause
    throw new AmpereError('UNAUTHORIZED', `request: ${cause.message}`, { cause })
  }
}
