// SPDX-License-Identifier: Apache-2.0
import { authorize, type SignedRequest } from '#core/api/request.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import { answered } from '#core/client/ask-home.ts'
import { call as askWithin } from '#core/client/answer.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Fetch, Now, Random, Signer } from '#core/ports/keys.ts'
import {
  clientChangeJson,
  readClientAnswer,
  readClientsAnswer,
  type ClientAnswer,
  type ClientChange,
} from '#core/token/client-registration.ts'
import { parseScopes } from '#core/token/scopes.ts'
import { actingInstitution, type ActingOptions } from '../../deployment/session.ts'
import { connectActive } from '../../open/bridge.ts'
import type { ClientRegister, OpenClients, ShownClient } from '../../open/client-register.ts'
import { actingInstance, openInstitution } from '../../open/institution.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { homeFolderOf } from '../cloud-folder.ts'
import type { Clouds } from '../clouds.ts'
import { foundersPassphrase } from '../founding/founding.ts'
import { rememberedAs } from '../target.ts'
import { usedHome } from './config-text.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const BRIDGE = 'the bridge'
/** Largest answer that is read, in bytes: a list of some thousand clients. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/**
 * The register of clients behind the bridge of a deployment, asked as the institution whose keys lie beside the home that it uses: its
 * app instance on this computer signs each request.
 * @throws AmpereError NOT_FOUND, KEY_UNAVAILABLE; CommanderError (usage)
 */
export async function reachClients(
  call: Call<ActingOptions>,
  name: string,
  clouds: Clouds,
): Promise<OpenClients> {
  const { folder, deployment, deploy } = rememberedAs(call, name)
  const { bridge, provider } = deployment
  if (!bridge?.made)
    throw refuse(
      'NOT_FOUND',
      `no bridge was deployed as ${name} from this data folder`,
      `${deploy} --role both`,
    )
  const { institution: id, made } = bridge
  actingInstitution({ institutions: [id] }, call.options)
  const keysFolder = homeFolderOf(folder, bridge)
  const { screen, options } = call
  const passphrase = await foundersPassphrase(keysFolder, options, screen)
  const cloud = await clouds[provider].open(screen.terminal.env)
  const home = usedHome(folder, deployment)
  const opened = await openInstitution(keysFolder, id, passphrase)
  const { institution } = await connectActive(opened, home, cloud.reach(home.origin))
  const asking = {
    fetch: cloud.reach(made.origin),
    origin: made.origin,
    signer: actingInstance(institution),
    now: screen.terminal.now,
  }
  return { clients: registerBehind(asking), institution: id, base: made.origin, cloud: name }
}

/** How a bridge is asked. */
interface Asking {
  readonly fetch: Fetch
  readonly origin: string
  readonly signer: Signer
  readonly now: Now
}

function registerBehind(asking: Asking): ClientRegister {
  const find = async (id: string) => {
    try {
      return shown(readClientAnswer(await asked(asking, 'GET', pathOf(id))))
    } catch (error) {
      if (isAmpereError(error, 'NOT_FOUND')) return null
      throw error
    }
  }
  const list = async () => readClientsAnswer(await asked(asking, 'GET', '/clients')).map(shown)
  const change = async (id: string, wanted: ClientChange) =>
    shown(readClientAnswer(await asked(asking, 'PUT', pathOf(id), clientChangeJson(wanted))))
  return {
    find,
    list,
    isEmpty: async () => (await list()).length === 0,
    register: ({ id, ...registration }) => change(id, registration),
    suspend: (id) => change(id, 'suspended'),
    remove: async (id) => {
      try {
        await asked(asking, 'DELETE', pathOf(id))
        return true
      } catch (error) {
        if (isAmpereError(error, 'NOT_FOUND')) return false
        throw error
      }
    },
  }
}

/** Gateways decode paths, so that these would not arrive as what was signed. @throws CommanderError (usage) */
function pathOf(id: string): string {
  const isDots = id.split('/').some((part) => part === '.' || part === '..')
  if (isDots || /[%\\]|\/\/.*\/\/|^\/|\/$/.test(id))
    throw usage(
      'with --cloud a client_id has no % and no \\, does not begin or end with /, and no part of it is . or ..',
    )
  return `/clients/${encodeURIComponent(id)}`
}

/** @returns what the answer holds; null for one without a body. @throws AmpereError with the bridge's own code, or UPSTREAM_FAILED */
async function asked(
  { fetch, origin, signer, now }: Asking,
  method: SignedRequest['method'],
  path: string,
  wanted?: object,
): Promise<unknown> {
  const url = new URL(path, origin)
  const body = wanted === undefined ? new Uint8Array(0) : utf8(JSON.stringify(wanted))
  const authorization = await authorize({ method, url, body }, { now, random, signer })
  const headers = { authorization, ...(wanted === undefined ? {} : { 'content-type': 'application/json' }) }
  const init = { method, headers, ...(wanted === undefined ? {} : { body }) }
  const limits = { maxBytes: MAX_ANSWER_BYTES, beyond: 'fail' } as const
  const bytes = answered(
    await askWithin({ fetch, who: BRIDGE }, { url, init, bytes: body.length }, limits),
    BRIDGE,
  )
  if (bytes.length === 0) return null
  try {
    return JSON.parse(fromUtf8(bytes))
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', `${BRIDGE} did not answer with JSON`, { cause })
  }
}

function shown({ since, scopes, ...rest }: ClientAnswer): ShownClient {
  return { ...rest, scopes: parseScopes(scopes), changedMs: timestampMs(since) }
}
