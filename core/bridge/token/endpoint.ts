// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Random } from '../../ports/keys.ts'
import { TOKEN_SECONDS, type AccessClaims, type AccessTokens } from '../../token/access-token.ts'
import { SKEW_SECONDS } from '../../token/assertion.ts'
import { formatScopes, intersection, parseScopes, type Scopes } from '../../token/scopes.ts'
import type { Client } from '../store/clients.ts'
import type { Marks } from '../store/marks.ts'
import { authenticate, type Authentication } from './authenticate.ts'

/** Where a bridge's endpoints are, as its clients know them. */
export interface Addresses {
  /** Base of the FHIR endpoint. */
  readonly fhir: string
  readonly token: string
  readonly introspect: string
  readonly revoke: string
}

/** A token as RFC 6749 section 5.1 answers it. */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly scope: string
}

/** What clients do at the token endpoint, each with the parameters of its form. */
export interface TokenEndpoint {
  /**
   * A token for as much of what was asked for as the client is registered for.
   * @throws AmpereError REQUEST_MALFORMED, UNSUPPORTED (the grant type), FORBIDDEN (the scope), and as `authenticate` does
   */
  issue(form: URLSearchParams): Promise<TokenAnswer>
  /** What a token of the asking client is good for (RFC 7662); of any other, only that it is good for nothing. */
  introspect(form: URLSearchParams): Promise<object>
  /** Ends a token of the asking client before its time (RFC 7009); one that is none is ended already. */
  revoke(form: URLSearchParams): Promise<void>
}

export interface EndpointPorts extends Authentication {
  readonly tokens: AccessTokens
  readonly revokedTokens: Marks
  readonly random: Random
  /** What a token says, while it is good. */
  readonly check: (token: string) => Promise<AccessClaims>
}

/** The acts behind `/oauth`. */
export function createTokenEndpoint(ports: EndpointPorts, addresses: Addresses): TokenEndpoint {
  const client = (form: ReadonlyMap<string, string>, address: string) =>
    authenticate(ports, form, [...new Set([addresses.token, address])])
  return {
    issue: async (given) => {
      const form = parametersOf(given)
      const grant = needed(form, 'grant_type')
      if (grant !== 'client_credentials')
        throw new AmpereError('UNSUPPORTED', 'grant_type is not client_credentials')
      return issueTo(ports, await client(form, addresses.token), form.get('scope'))
    },
    introspect: async (given) => {
      const form = parametersOf(given)
      const token = needed(form, 'token')
      const { id } = await client(form, addresses.introspect)
      const said = await goodToken(ports, token)
      if (said?.client !== id) return { active: false }
      const { scope, iat, exp } = said
      return { active: true, scope, client_id: id, sub: id, token_type: 'bearer', iat, exp, jti: said.id }
    },
    revoke: async (given) => {
      const form = parametersOf(given)
      const token = needed(form, 'token')
      const { id } = await client(form, addresses.revoke)
      const said = await goodToken(ports, token)
      if (!said) return
      if (said.client !== id) throw new AmpereError('FORBIDDEN', 'the token was not issued to this client')
      // Until it has expired by the clock of any process.
      await ports.revokedTokens.mark((said.exp + 2 * SKEW_SECONDS) * 1000, said.id)
    },
  }
}

async function issueTo(
  { tokens, now, random }: EndpointPorts,
  client: Client,
  asked: string | undefined,
): Promise<TokenAnswer> {
  if (asked === undefined) throw new AmpereError('FORBIDDEN', 'scope is missing')
  const granted = intersection(askedScopes(asked), client.scopes)
  if (granted.size === 0)
    throw new AmpereError('FORBIDDEN', 'the client is registered for nothing of what scope asks for')
  const scope = formatScopes(granted)
  const iat = Math.floor(now() / 1000)
  const { id, registration } = client
  const claims = {
    id: toBase64url(random(16)),
    client: id,
    registration,
    scope,
    iat,
    exp: iat + TOKEN_SECONDS,
  }
  const access_token = await tokens.issue(claims)
  return { access_token, token_type: 'bearer', expires_in: TOKEN_SECONDS, scope }
}

function askedScopes(text: string): Scopes {
  try {
    return parseScopes(text)
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    throw new AmpereError('FORBIDDEN', cause.message, { cause })
  }
}

async function goodToken({ check }: EndpointPorts, token: string): Promise<AccessClaims | null> {
  try {
    return await check(token)
  } catch (error) {
    if (isAmpereError(error, 'UNAUTHORIZED', 'TOKEN_EXPIRED')) return null
    throw error
  }
}

/** RFC 6749 section 3.2: none is given twice; one without a value was not given; those that are not known are ignored. */
function parametersOf(form: URLSearchParams): ReadonlyMap<string, string> {
  const names = [...form.keys()]
  if (new Set(names).size < names.length)
    throw new AmpereError('REQUEST_MALFORMED', 'a parameter is given more than once')
  return new Map([...form].filter(([, value]) => value !== ''))
}

function needed(form: ReadonlyMap<string, string>, name: string): string {
  const value = form.get(name)
  if (value === undefined) throw new AmpereError('REQUEST_MALFORMED', `${name} is missing`)
  return value
}
