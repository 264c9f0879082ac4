// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import type { Caller, Login } from '#core/bridge/token/login.ts'
import { AmpereError } from '#core/errors.ts'
import { isAllowed, type Interaction } from '#core/token/scopes.ts'

/** Asked before anything is looked up, so that no answer depends on what there is. */
export interface Guard {
  /** Who asks. @throws AmpereError UNAUTHORIZED, TOKEN_EXPIRED */
  caller(c: Context): Promise<Caller>
  /** Who asks, where they may do that with resources of that type. @throws AmpereError also FORBIDDEN */
  allow(c: Context, interaction: Interaction, type: string): Promise<Caller>
}

/** Where a refusal leaves what would have been needed, for the header that says so. */
const NEEDED = 'neededScope'

const REALM = 'Bearer realm="fhir"'

/** The login of a bridge at each route. */
export function createGuard(login: Login): Guard {
  return {
    caller: (c) => login.authorize(c.req.raw),
    allow: async (c, interaction, type) => {
      const caller = await login.authorize(c.req.raw)
      if (isAllowed(caller.scopes, interaction, type)) return caller
      throw forbidden(c, interaction, type)
    },
  }
}

/** The refusal of a token that does not reach so far. */
export function forbidden(c: Context, interaction: Interaction, type: string): AmpereError {
  // The type came with the request; only what looks like one is repeated.
  const scope = /^[A-Za-z]{1,64}$/.test(type) ? `system/${type}.${interaction}` : `system/*.${interaction}`
  c.set(NEEDED, scope)
  return new AmpereError('FORBIDDEN', `the access token does not have the scope ${scope}`)
}

/** WWW-Authenticate as RFC 6750 section 3 wants it; null where the refusal has nothing to do with tokens. */
export function challengeOf(c: Context, error: AmpereError): string | null {
  // What is signed by an institution, as a request to join a record, is not asked for a token.
  if (!c.req.path.includes('/fhir')) return null
  const needed = c.get(NEEDED) as string | undefined
  if (error.code === 'FORBIDDEN') return needed === undefined ? null : insufficient(needed)
  if (error.code !== 'UNAUTHORIZED' && error.code !== 'TOKEN_EXPIRED') return null
  // Who brought nothing is told nothing but what to bring.
  if (c.req.header('authorization') === undefined) return REALM
  return `${REALM}, error="invalid_token", error_description="${error.message}"`
}

/** The header of a refusal for want of a scope (RFC 6750 section 3.1). */
export function insufficient(scope: string): string {
  return `${REALM}, error="insufficient_scope", scope="${scope}"`
}
