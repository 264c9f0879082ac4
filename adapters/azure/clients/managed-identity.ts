// SPDX-License-Identifier: Apache-2.0
import type { AccessToken, TokenCredential } from '@azure/identity'

/** Where App Service and Functions give tokens to the code that they run: IDENTITY_ENDPOINT, with the header that keeps others out. */
export interface IdentityEndpoint {
  readonly url: string | undefined
  readonly header: string | undefined
}

/** Parts that tests replace. */
export interface IdentityPorts {
  readonly fetch: (url: URL, init: RequestInit) => Promise<Response>
  readonly now: () => number
}

const API_VERSION = '2019-08-01'
const ANSWER_MS = 10_000
/** A token is asked for anew so long before it ends; the service keeps them for a day. */
const BEFORE_END_MS = 5 * 60_000
const MAX_TOKEN_CHARACTERS = 16_384

/**
 * The user-assigned identity of a function app (learn.microsoft.com/azure/app-service/overview-managed-identity, "REST endpoint
 * reference"). Its tokens are kept in memory until shortly before they end; who asks at once shares one request. Nothing is
 * tried again inside. `@azure/identity` does the same through MSAL, which was half of what a function loaded at its start.
 */
export function managedIdentity(
  { url, header }: IdentityEndpoint,
  clientId: string,
  ports: IdentityPorts,
): TokenCredential {
  const tokens = new Map<string, Asking>()
  const ask = async (resource: string): Promise<AccessToken> => {
    if (url === undefined || header === undefined) throw unavailable('no identity endpoint')
    const at = new URL(url)
    at.search = String(new URLSearchParams({ resource, client_id: clientId, 'api-version': API_VERSION }))
    const answer = await ports.fetch(at, {
      headers: { 'x-identity-header': header },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    // The app has no such identity: no repetition helps.
    if (answer.status === 400) throw unavailable('the identity endpoint knows no such identity')
    if (!answer.ok) throw new Error(`the identity endpoint answered ${answer.status}`)
    return tokenOf(await answer.json())
  }
  const begin = (resource: string): Asking => {
    const asking: Asking = { token: ask(resource), expiresMs: null }
    asking.token.then(
      ({ expiresOnTimestamp }) => (asking.expiresMs = expiresOnTimestamp),
      () => tokens.get(resource) === asking && tokens.delete(resource),
    )
    tokens.set(resource, asking)
    return asking
  }
  return {
    getToken: async (scopes) => {
      const resource = resourceOf(scopes)
      const known = tokens.get(resource)
      const isGood = known && (known.expiresMs === null || known.expiresMs - BEFORE_END_MS > ports.now())
      return (isGood ? known : begin(resource)).token
    },
  }
}

/** A token that was asked for; `expiresMs` is null while it is not there. */
interface Asking {
  readonly token: Promise<AccessToken>
  expiresMs: number | null
}

/** `https://vault.azure.net/.default` -> `https://vault.azure.net` */
function resourceOf(scopes: string | string[]): string {
  const [scope, ...others] = [scopes].flat()
  if (scope === undefined || others.length > 0)
    throw new RangeError('a managed identity has a token for one scope')
  return scope.replace(/\/\.default$/, '')
}

/** `expires_on` is in seconds since 1970, as text. */
function tokenOf(answer: unknown): AccessToken {
  const { access_token: token, expires_on: end } = (answer ?? {}) as Readonly<Record<string, unknown>>
  const seconds = Number(end)
  const isToken = typeof token === 'string' && token.length > 0 && token.length <= MAX_TOKEN_CHARACTERS
  if (!isToken || !Number.isSafeInteger(seconds) || seconds <= 0)
    throw new Error('the identity endpoint answered with no token')
  return { token, expiresOnTimestamp: seconds * 1000, tokenType: 'Bearer' }
}

/** By this name the adapter tells what is missing for good from what is missing now, as that of `@azure/identity`. */
function unavailable(message: string): Error {
  return Object.assign(new Error(message), { name: 'CredentialUnavailableError' })
}
