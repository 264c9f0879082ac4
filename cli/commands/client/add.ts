// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { isAmpereError } from '#core/errors.ts'
import type { NewClient } from '#core/bridge/store/clients.ts'
import { readKeySet, type ClientKey } from '#core/token/client-keys.ts'
import { formatScopes, parseScopes, type Scopes } from '#core/token/scopes.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import { withClients } from '../../open/clients.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { clientJson, clientLines } from './shown.ts'

interface AddOptions extends ActingOptions {
  readonly name?: string
  readonly jwks?: string
  readonly jwksUrl?: string
  readonly scopes?: string
}

/** Registers software that may ask this bridge for tokens, or replaces what was registered of it. */
export async function addClient(call: Call<AddOptions>): Promise<number> {
  const id = clientId(call.args[0] ?? '')
  const given = {
    id,
    name: nameOf(call.options, id),
    ...keysOf(call.options),
    scopes: scopesOf(call.options),
  }
  return withClients(call, async ({ clients, institution, base }) => {
    call.screen.stopping.keeps(() => 'Whether the client was registered, npx ampere client list says.')
    const isFirst = await clients.isEmpty()
    const before = await clients.find(id)
    const client = await clients.register(given)
    const token = `${base}/oauth/token`
    call.screen.print(
      {
        ok: true,
        replaced: before !== null,
        ...clientJson(client),
        tokenEndpoint: token,
        fhir: `${base}/fhir`,
      },
      [
        before
          ? `${id} is registered anew; tokens that it had are good for nothing.`
          : `${id} is registered.`,
        ...clientLines(client),
        `  tokens at    ${token} (SMART Backend Services)`,
        `  FHIR at      ${base}/fhir`,
        ...(isFirst ? [`From now on the bridge of ${institution} answers nobody without a token.`] : []),
        `Undo  npx ampere client remove ${id} --as ${institution}`,
      ],
    )
    return EXIT.ok
  })
}

/** A `client_id`: visible ASCII, so that it is written one way. @throws CommanderError (usage) */
export function clientId(text: string): string {
  if (/^[!-~]{1,128}$/.test(text)) return text
  throw usage('a client_id is 1 to 128 visible ASCII characters without spaces, for example lab-7')
}

function nameOf({ name }: AddOptions, id: string): string {
  const text = (name ?? id).trim()
  if (text === '' || text.length > 200) throw usage('--name: a name has 1 to 200 characters')
  return text
}

function scopesOf({ scopes: text }: AddOptions): Scopes {
  if (text === undefined)
    throw usage('--scopes is missing: what the client may do, for example "system/*.rs"')
  try {
    const scopes = parseScopes(
      text
        .trim()
        .split(/[\s,]+/)
        .join(' '),
    )
    if (formatScopes(scopes) !== '') return scopes
  } catch (error) {
    if (!isAmpereError(error)) throw error
    throw usage(`--scopes: ${error.message}`)
  }
  throw usage('--scopes: none of them is for a backend service; they begin with system/')
}

function keysOf({ jwks, jwksUrl }: AddOptions): Pick<NewClient, 'keys' | 'jwksUrl'> {
  if ((jwks === undefined) === (jwksUrl === undefined))
    throw usage('give one of --jwks FILE and --jwks-url URL: with which keys the client signs')
  return jwksUrl === undefined
    ? { keys: keysIn(jwks ?? ''), jwksUrl: null }
    : { keys: [], jwksUrl: httpsUrl(jwksUrl) }
}

function httpsUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isPlain = url !== null && url.username === '' && url.password === '' && url.hash === ''
  if (!isPlain || url.protocol !== 'https:' || text.length > 2000)
    throw usage('--jwks-url: an https URL is expected, for example https://ehr.example/jwks.json')
  // As it was given: a jku in an assertion has to be the same text.
  return text
}

/** @throws AmpereError CONFIGURATION where the file has no key that counts, or one that is private */
function keysIn(file: string): readonly ClientKey[] {
  const { keys, unusable } = readSet(file)
  const faults = unusable.map(({ position, why }) => `key ${position + 1} ${why}`)
  const isPrivate = unusable.some(({ why }) => why.startsWith('is private'))
  if (isPrivate)
    throw refuse('CONFIGURATION', `${file}: ${faults.join('; ')}`, 'ask the client for its public keys')
  const names = new Set(keys.map(({ kid, alg }) => `${kid} ${alg}`))
  if (names.size < keys.length) throw refuse('CONFIGURATION', `${file}: two keys have the same kid`)
  if (keys.length > 0) return keys
  const why = faults.length > 0 ? faults.join('; ') : 'it has no key'
  throw refuse(
    'CONFIGURATION',
    `${file}: ${why}`,
    'RSA keys from 2048 bits and P-384 keys are taken, each with a kid',
  )
}

function readSet(file: string): ReturnType<typeof readKeySet> {
  try {
    return readKeySet(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    const why = isAmpereError(cause) ? cause.message : 'cannot be read as JSON'
    throw refuse('CONFIGURATION', `${file}: ${why}`, 'a JWK set is expected: {"keys": [...]}', cause)
  }
}
