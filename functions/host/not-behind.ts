// SPDX-License-Identifier: Apache-2.0
import type { MiddlewareHandler } from 'hono'
import { AmpereError } from '#core/errors.ts'

/** All but how and who a home is. */
export const ANYTHING = /^(?!\/(health|\.well-known)\/)/
/** Of a home that is only looked at, what it would sign: what is lost elsewhere can still be read and audited there. */
export const SIGNING = /^\/v1\/(chains\/[^/]+\/head$|lookups\/)/

/**
 * A home whose stores are older than what it signed signs nothing: each head, each tree, and each tree of others that it
 * cosigns contradicts one that somebody has.
 * @param isBehind is asked for each request to a path of `refused`
 */
export function notBehind(isBehind: () => Promise<boolean>, refused: RegExp): MiddlewareHandler {
  return async (c, next) => {
    if (refused.test(c.req.path) && (await isBehind())) throw behind()
    await next()
  }
}

function behind(): AmpereError {
  const message =
    'the stores of this home are older than what witnesses saw of it, and it signs nothing until they are not'
  return new AmpereError('STORE_CORRUPT', message)
}
