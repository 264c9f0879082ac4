// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { isAmpereError } from '#core/errors.ts'
import type { NewClient } from '#core/bridge/store/clients.ts'
import { keysToRegister, type ClientKey } from '#core/token/client-keys.ts'
import { clientIdIn, clientNameIn, clientScopesIn, jwksUrlIn } from '#core/token/client-registration.ts'
import type { Scopes } from '#core/token/scopes.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import { CLOUDS, type Clouds } from '../../cloud/clouds.ts'
import type { OpenClients } from '../../open/client-register.ts'
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
export const addClient = (call: Call<AddOptions>) => addClientOn(CLOUDS)(call)

/** @param clouds opens the provider that --cloud names */
export function addClientOn(clouds: Clouds): (call: Call<AddOptions>) => Promise<number> {
  return async (call) => {
    const id = clientId(call.args[0] ?? '')
    const wanted = {
      id,
      name: nameOf(call.options, id),
      ...keysOf(call.options),
      scopes: scopesOf(call.options),
    }
    const register = async (open: OpenClients) => {
      const { clients, institution, base } = open
      call.screen.stopping.keeps(
        () => `Whether the client was registered, npx ampere client list --as ${open.institution} says.`,
      )
      const isFirst = open.cloud === null && (await clients.isEmpty())
      const before = await clients.find(id)
      const client = await clients.register(wanted)
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
          `Undo  npx ampere client remove ${id} --as ${open.institution}`,
        ],
      )
      return EXIT.ok
    }
    return withClients(call, register, clouds)
  }
}

/** @throws CommanderError (usage) */
export function clientId(text: string): string {
  return given(clientIdIn, text)
}

function nameOf({ name }: AddOptions, id: string): string {
  return given(clientNameIn, name ?? id, '--name: ')
}

function scopesOf({ scopes: text }: AddOptions): Scopes {
  if (text === undefined)
    throw usage('--scopes is missing: what the client may do, for example "system/*.rs"')
  const words = text.trim().split(/[\s,]+/)
  return given(clientScopesIn, words.join(' '), '--scopes: ')
}

function keysOf({ jwks, jwksUrl }: AddOptions): Pick<NewClient, 'keys' | 'jwksUrl'> {
  if ((jwks === undefined) === (jwksUrl === undefined))
    throw usage('give one of --jwks FILE and --jwks-url URL: with which keys the client signs')
  return jwksUrl === undefined
    ? { keys: keysIn(jwks ?? ''), jwksUrl: null }
    : { keys: [], jwksUrl: given(jwksUrlIn, jwksUrl, '--jwks-url: ') }
}

/** What was given wrongly is so for every command. @throws CommanderError (usage) */
function given<T>(read: (text: string) => T, text: string, flag = ''): T {
  try {
    return read(text)
  } catch (error) {
    if (!isAmpereError(error)) throw error
    throw usage(`${flag}${error.message}`)
  }
}

/** @throws AmpereError CONFIGURATION where the file has no key that counts, or one that is private */
function keysIn(file: string): readonly ClientKey[] {
  try {
    return keysToRegister(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    const why = isAmpereError(cause) ? cause.message : 'cannot be read as JSON'
    throw refuse(
      'CONFIGURATION',
      `${file}: ${why}`,
      'a JWK set with the public keys of the client is expected: {"keys": [...]}',
      cause,
    )
  }
}
