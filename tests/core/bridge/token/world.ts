// SPDX-License-Identifier: Apache-2.0
import { memoryTable } from '#adapters/memory/table.ts'
import { readKeySet } from '#core/token/client-keys.ts'
import { parseScopes } from '#core/token/scopes.ts'
import { BRIDGE_URL, testBridge, type BridgeWorld, type GivenBridge } from '#tests/bridge-world.ts'
import { assertion, ecPair, rsaPair, type ClientKeyPair } from '#tests/core/token/clients.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'

export const TOKEN_URL = `${BRIDGE_URL}/oauth/token`
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** The keys of the client `ehr` in these tests. */
export const RSA = rsaPair('rsa-1')
export const EC = ecPair('ec-1')

/** A bridge with a client, and how that client asks. */
export interface TokenWorld {
  readonly deployment: TestDeployment
  readonly kept: { readonly table: ReturnType<typeof memoryTable>; readonly key: Uint8Array }
  readonly world: BridgeWorld
}

/** A bridge that demands a token, on a table that a second one can share. */
export async function tokenWorld(given: GivenBridge = {}): Promise<TokenWorld> {
  const deployment = await testDeployment(['hospital-a'])
  const kept = { table: memoryTable(), key: deployment.random(32) }
  const world = testBridge(deployment, 'hospital-a', { requireLogin: true, ...kept, ...given })
  return { deployment, kept, world }
}

/** Registers a client, by default with both keys and everything. */
export function register(
  { bridge }: BridgeWorld,
  changed: {
    readonly id?: string
    readonly scopes?: string
    readonly jwksUrl?: string
    readonly keys?: readonly object[]
  } = {},
) {
  const { id = 'ehr', scopes = 'system/*.cruds', jwksUrl = null, keys = [RSA.jwk, EC.jwk] } = changed
  return bridge.ports.store.clients.register({
    id,
    name: 'An EHR',
    jwksUrl,
    keys: jwksUrl === null ? readKeySet({ keys }).keys : [],
    scopes: parseScopes(scopes),
  })
}

let made = 0
/** An assertion of `ehr` that is right, but for what is changed. */
export function assertionOf(
  { deployment }: Pick<TokenWorld, 'deployment'>,
  changed: {
    readonly pair?: ClientKeyPair
    readonly client?: string
    readonly header?: object
    readonly claims?: object
  } = {},
): string {
  const { pair = EC, client = 'ehr' } = changed
  const about = { client, aud: TOKEN_URL, nowMs: deployment.clock.now, jti: `jti-${++made}` }
  return assertion(pair, about, changed)
}

/** A form as a client posts it; a member that is null is left out. */
export function formOf(members: Readonly<Record<string, string | null>>): URLSearchParams {
  const given = Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== null)
  return new URLSearchParams(given)
}

/** Posts a form to `/oauth`; without changes, a request for a token that is right. */
export async function post(
  at: TokenWorld,
  changed: Readonly<Record<string, string | null>> = {},
  {
    path = 'token',
    headers = {},
    world = at.world,
  }: { path?: string; headers?: Record<string, string>; world?: BridgeWorld } = {},
): Promise<Response> {
  const form = formOf({
    grant_type: 'client_credentials',
    scope: 'system/*.rs',
    client_assertion_type: JWT_BEARER,
    client_assertion: changed['client_assertion'] === undefined ? assertionOf(at) : null,
    ...changed,
  })
  return world.app.request(`/oauth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: form.toString(),
  })
}

export type Answered = Record<string, unknown>
export const bodyOf = async (answer: Response) => (await answer.json()) as Answered

/** A token with these scopes. */
export async function tokenOf(at: TokenWorld, scope = 'system/*.cruds'): Promise<string> {
  const answer = await post(at, { scope })
  const { access_token: token } = await bodyOf(answer)
  if (typeof token !== 'string') throw new Error(`no token: ${answer.status}`)
  return token
}
