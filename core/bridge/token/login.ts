// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../../errors.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Fetch, Now, Random } from '../../ports/keys.ts'
import { createAccessTokens, type AccessClaims } from '../../token/access-token.ts'
import { createKeySource } from '../../token/key-source.ts'
import { ALL_SCOPES, intersection, readScopes, type Scopes } from '../../token/scopes.ts'
import type { Actor } from '../bridge.ts'
import type { Client } from '../store/clients.ts'
import type { BridgeStore } from '../store/open.ts'
import { clientActor, localActor } from './actor.ts'
import { createAllowance } from './allowance.ts'
import { createTokenEndpoint, type Addresses, type TokenEndpoint } from './endpoint.ts'

/** Who asks the FHIR endpoint, and what they may do there. */
export interface Caller {
  readonly actor: Actor
  readonly scopes: Scopes
}

/** Who may use a bridge's FHIR endpoint, and where they get what they need for it. */
export interface Login {
  /** @throws AmpereError UNAUTHORIZED, TOKEN_EXPIRED */
  authorize(request: Request): Promise<Caller>
  readonly tokens: TokenEndpoint
  readonly addresses: Addresses
}

/** What a login needs. */
export interface LoginPorts {
  readonly store: Pick<BridgeStore, 'clients' | 'usedAssertions' | 'revokedTokens'>
  /** The institution's 32-byte secret for its bridge; keys of tokens are derived from it. */
  readonly secret: Uint8Array
  /** Asks for the keys that clients publish. */
  readonly fetch: Fetch
  readonly deadline: Deadline
  readonly now: Now
  readonly random: Random
  /** For each client and process; see `TOKENS_PER_MINUTE`. */
  readonly tokensPerMinute?: number
}

/**
 * A login that demands a token. `base` is the URL of the bridge as its clients know it, without a slash at the end. It comes
 * from settings: what clients sign for another server must not become ours by a Host header.
 */
export function openLogin(ports: LoginPorts, base: string): Login {
  const { store, now } = ports
  const tokens = createAccessTokens(ports.secret, 'fhir')
  const keySource = createKeySource(ports)
  const allowance = createAllowance(now, ports.tokensPerMinute)
  const addresses: Addresses = {
    fhir: `${base}/fhir`,
    token: `${base}/oauth/token`,
    introspect: `${base}/oauth/introspect`,
    revoke: `${base}/oauth/revoke`,
  }
  const check = async (token: string) => {
    const claims = await tokens.open(token)
    const client = await clientOf(ports, claims)
    return { claims, client }
  }
  const claimsOf = async (token: string) => (await check(token)).claims
  return {
    addresses,
    tokens: createTokenEndpoint(
      { ...ports, ...store, tokens, keySource, allowance, check: claimsOf },
      addresses,
    ),
    authorize: async (request) => {
      const { claims, client } = await check(bearerOf(request))
      const scopes = intersection(readScopes(claims.scope), client.scopes)
      return { actor: clientActor(client.id, request.headers), scopes }
    },
  }
}

/**
 * The login of an endpoint that listens on this computer only: while no client is registered, whoever reaches it may do
 * everything, as what they say they are. Whoever brings a token has what it allows.
 */
export function loopbackLogin(login: Login, { clients }: Pick<BridgeStore, 'clients'>): Login {
  return {
    ...login,
    authorize: async (request) => {
      if (request.headers.has('authorization') || !(await clients.isEmpty())) return login.authorize(request)
      return { actor: localActor(request.headers), scopes: ALL_SCOPES }
    },
  }
}

/** The client of a token that is good still: as it is registered now, not as it was. */
async function clientOf({ store, now }: LoginPorts, claims: AccessClaims): Promise<Client> {
  if (claims.exp * 1000 <= now()) throw new AmpereError('TOKEN_EXPIRED', 'the access token has expired')
  const [client, isRevoked] = await Promise.all([
    store.clients.find(claims.client),
    store.revokedTokens.isMarked(claims.id),
  ])
  const isCurrent = client?.status === 'active' && client.registration === claims.registration
  if (isCurrent && !isRevoked) return client
  throw new AmpereError('UNAUTHORIZED', 'the access token was revoked, or its client was changed since')
}

/** RFC 6750 section 2.1, and no other way to bring a token. */
function bearerOf(request: Request): string {
  const given = request.headers.get('authorization')
  if (given === null) throw new AmpereError('UNAUTHORIZED', 'an access token is needed')
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(given)?.[1]
  if (token === undefined) throw new AmpereError('UNAUTHORIZED', 'Authorization is not a Bearer token')
  return token
}
