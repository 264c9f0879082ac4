// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { parseWith, timestamp } from '../bytes/schema.ts'
import { AmpereError } from '../errors.ts'
import { CLIENT_ALGORITHMS, keySetJson, keysToRegister, type ClientKey } from './client-keys.ts'
import { formatScopes, parseScopes, type Scopes } from './scopes.ts'

/** What is registered of a client, beside its id. */
export interface Registration {
  readonly name: string
  /** Where its keys are published; null where they are registered themselves. */
  readonly jwksUrl: string | null
  /** None where they are published. */
  readonly keys: readonly ClientKey[]
  /** The most that it is ever given. */
  readonly scopes: Scopes
}

/** What a bridge is asked to do with a client: to register it as this, or to give it no token any more. */
export type ClientChange = Registration | 'suspended'

/** Largest body that registers a client, in bytes: some keys, never 64 of the largest. */
export const MAX_REGISTRATION_BYTES = 32 * 1024
const MAX_NAME_CHARACTERS = 200
const MAX_URL_CHARACTERS = 2000

const change = v.union([
  v.strictObject({ status: v.literal('suspended') }),
  v.strictObject({ name: v.string(), scopes: v.string(), jwks: v.unknown() }),
  v.strictObject({ name: v.string(), scopes: v.string(), jwksUrl: v.string() }),
])

const clientAnswer = v.object({
  id: v.string(),
  name: v.string(),
  status: v.picklist(['active', 'suspended']),
  scopes: v.string(),
  jwksUrl: v.nullable(v.string()),
  keys: v.array(v.object({ kid: v.string(), alg: v.picklist(CLIENT_ALGORITHMS) })),
  since: timestamp,
})
const clientsAnswer = v.object({ items: v.array(clientAnswer) })

/** A client as a bridge tells of it: of its keys their names alone. */
export type ClientAnswer = v.InferOutput<typeof clientAnswer>

/** @throws AmpereError UPSTREAM_FAILED */
export const readClientAnswer = (value: unknown): ClientAnswer =>
  parseWith(clientAnswer, value, 'UPSTREAM_FAILED', 'answer of the bridge')
/** @throws AmpereError UPSTREAM_FAILED */
export const readClientsAnswer = (value: unknown): readonly ClientAnswer[] =>
  parseWith(clientsAnswer, value, 'UPSTREAM_FAILED', 'answer of the bridge').items

/** @throws AmpereError REQUEST_MALFORMED, KEY_MALFORMED, UNSUPPORTED for scopes that a query narrows */
export function readClientChange(value: unknown): ClientChange {
  const given = parseWith(change, value, 'REQUEST_MALFORMED', 'client')
  if ('status' in given) return 'suspended'
  const keys =
    'jwksUrl' in given
      ? { keys: [], jwksUrl: jwksUrlIn(given.jwksUrl) }
      : { keys: keysToRegister(given.jwks), jwksUrl: null }
  return { name: clientNameIn(given.name), scopes: clientScopesIn(given.scopes), ...keys }
}

/** The body that asks for a change; `readClientChange` reads it. */
export function clientChangeJson(wanted: ClientChange): object {
  if (wanted === 'suspended') return { status: wanted }
  const { name, scopes, jwksUrl, keys } = wanted
  const said = { name, scopes: formatScopes(scopes) }
  return jwksUrl === null ? { ...said, jwks: keySetJson(keys) } : { ...said, jwksUrl }
}

/** A `client_id`: visible ASCII, so that it is written one way. @throws AmpereError REQUEST_MALFORMED */
export function clientIdIn(text: string): string {
  if (/^[!-~]{1,128}$/.test(text)) return text
  throw malformed('a client_id is 1 to 128 visible ASCII characters without spaces, for example lab-7')
}

/** What people call a client. @throws AmpereError REQUEST_MALFORMED */
export function clientNameIn(text: string): string {
  const name = text.trim()
  if (name !== '' && name.length <= MAX_NAME_CHARACTERS) return name
  throw malformed(`a name has 1 to ${MAX_NAME_CHARACTERS} characters`)
}

/** Scopes of which a backend service can use some. @throws AmpereError REQUEST_MALFORMED, UNSUPPORTED */
export function clientScopesIn(text: string): Scopes {
  const scopes = parseScopes(text)
  if (formatScopes(scopes) !== '') return scopes
  throw malformed('none of them is for a backend service; they begin with system/')
}

/** Where a client publishes its keys, as it was given: a `jku` in an assertion has to be the same text. @throws AmpereError REQUEST_MALFORMED */
export function jwksUrlIn(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isPlain = url !== null && url.username === '' && url.password === '' && url.hash === ''
  if (isPlain && url.protocol === 'https:' && text.length <= MAX_URL_CHARACTERS) return text
  throw malformed('an https URL is expected, for example https://ehr.example/jwks.json')
}

function malformed(message: string): AmpereError {
  return new AmpereError('REQUEST_MALFORMED', message)
}
