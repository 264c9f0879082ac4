// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../../errors.ts'
import type { Now } from '../../ports/keys.ts'
import { readAssertion, type Assertion } from '../../token/assertion.ts'
import { chooseKey } from '../../token/client-keys.ts'
import { isSignedBy, parseJwt, type Jwt } from '../../token/jwt.ts'
import type { KeySource } from '../../token/key-source.ts'
import type { Client, Clients } from '../store/clients.ts'
import type { Marks } from '../store/marks.ts'
import type { Allowance } from './allowance.ts'

/** RFC 7523 section 2.2. */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What clients are known by. */
export interface Authentication {
  readonly clients: Clients
  readonly usedAssertions: Marks
  readonly keySource: KeySource
  readonly allowance: Allowance
  readonly now: Now
}

/**
 * The client that sent a form, by its assertion (`private_key_jwt`). What costs most comes last, and an assertion is
 * used up only by whoever could sign it.
 * @throws AmpereError UNAUTHORIZED, JWS_MALFORMED, KEY_MALFORMED, UPSTREAM_FAILED (its keys cannot be had), LIMIT_EXCEEDED
 */
export async function authenticate(
  by: Authentication,
  form: ReadonlyMap<string, string>,
  audiences: readonly string[],
): Promise<Client> {
  if (form.get('client_assertion_type') !== ASSERTION_TYPE)
    throw new AmpereError('UNAUTHORIZED', `client_assertion_type is not ${ASSERTION_TYPE}`)
  const jwt = parseJwt(form.get('client_assertion') ?? '')
  const said = readAssertion(jwt.claims, audiences, by.now())
  if ((form.get('client_id') ?? said.client) !== said.client)
    throw new AmpereError('UNAUTHORIZED', 'client_id is not the one of the assertion')
  const client = await by.clients.find(said.client)
  if (client?.status !== 'active' || !(await isByClient(by, client, jwt))) throw unknown()
  by.allowance.check(client.id)
  await useUp(by, said)
  by.allowance.take(client.id)
  return client
}

/** Signed with the one key that the client registered under that name; a `jku` is only another way to say which set. */
async function isByClient({ keySource }: Authentication, client: Client, jwt: Jwt): Promise<boolean> {
  const { kid, alg, jku } = jwt.header
  if (jku !== undefined && jku !== client.jwksUrl) return false
  const keys = client.jwksUrl === null ? client.keys : await keySource.keysAt(client.jwksUrl, kid)
  const key = chooseKey(keys, kid, alg)
  return key !== null && isSignedBy(jwt, key)
}

async function useUp({ usedAssertions }: Authentication, said: Assertion): Promise<void> {
  // As JSON, so that no two pairs have one name.
  const name = JSON.stringify([said.client, said.jti])
  if (!(await usedAssertions.mark(said.keptUntilMs, name)))
    throw new AmpereError('UNAUTHORIZED', 'client_assertion: jti was used before')
}

/** One answer for all of it: who guesses learns nothing of which clients there are. */
function unknown(): AmpereError {
  return new AmpereError(
    'UNAUTHORIZED',
    'the client is not registered here, is suspended, or did not sign the assertion with a key that it registered',
  )
}
