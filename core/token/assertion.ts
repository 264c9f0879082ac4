// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

/** How far ahead an assertion may expire, in seconds (SMART App Launch 2). */
export const MAX_AHEAD_SECONDS = 300
/** By how much the clocks of a client, and of our processes among each other, may differ, in seconds. */
export const SKEW_SECONDS = 30

/** Who a client says that it is, by an assertion that can be used once. */
export interface Assertion {
  readonly client: string
  readonly jti: string
  /** Until when it must be known that it was used, in ms since 1970: until no process accepts it any more, by its own clock. */
  readonly keptUntilMs: number
}

/**
 * The claims with which a client authenticates (RFC 7523 section 3). `audiences` are the names under which the asked
 * endpoint is known; they come from settings, never from a request, because whoever relays an assertion that was made
 * for another server chooses what its request says.
 * @throws AmpereError UNAUTHORIZED, saying which claim is not as it must be
 */
export function readAssertion(
  claims: Readonly<Record<string, unknown>>,
  audiences: readonly string[],
  nowMs: number,
): Assertion {
  const { iss, sub, jti, exp } = claims
  if (typeof iss !== 'string' || iss === '' || iss !== sub)
    throw refused('iss and sub are not both the client_id')
  if (!isFor(claims['aud'], audiences)) throw refused('aud is not the URL of the token endpoint')
  if (typeof jti !== 'string' || jti === '' || jti.length > 256)
    throw refused('jti is not 1 to 256 characters')
  const nowSeconds = nowMs / 1000
  if (!isTime(exp)) throw refused('exp is not a time')
  if (exp + SKEW_SECONDS <= nowSeconds) throw refused('exp is past')
  if (exp - SKEW_SECONDS > nowSeconds + MAX_AHEAD_SECONDS)
    throw refused(`exp is more than ${MAX_AHEAD_SECONDS} s ahead`)
  for (const name of ['nbf', 'iat'] as const) {
    const time = claims[name]
    if (time === undefined) continue
    if (!isTime(time)) throw refused(`${name} is not a time`)
    if (time - SKEW_SECONDS > nowSeconds) throw refused(`${name} is still to come`)
  }
  return { client: iss, jti, keptUntilMs: Math.ceil((exp + 2 * SKEW_SECONDS) * 1000) }
}

/** One audience: an assertion that names several servers could be used by one of them at another. */
function isFor(aud: unknown, audiences: readonly string[]): boolean {
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const [one] = given
  return given.length === 1 && typeof one === 'string' && audiences.includes(one)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 1e11
}

function refused(what: string): AmpereError {
  return new AmpereError('UNAUTHORIZED', `client_assertion: ${what}`)
}
