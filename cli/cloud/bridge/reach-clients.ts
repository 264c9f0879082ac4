// SPDX-License-Identifier: Apache-2.0
import { timestampMs } from '#core/bytes/timestamp.ts'
import { isAmpereError } from '#core/errors.ts'
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
import type { Clouds } from '../clouds.ts'
import { foundersPassphrase } from '../founding/founding.ts'
import { rememberedAs } from '../target.ts'
import { askBridge, type Asking, type Question } from './ask.ts'
import { usedDeployment } from './used-home.ts'

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
  const used = usedDeployment(folder, deployment)
  const { screen, options } = call
  const passphrase = await foundersPassphrase(used.folder, options, screen)
  const { env } = screen.terminal
  const opened = await openInstitution(used.folder, id, passphrase)
  // The home may be in the other cloud.
  const { origin } = used.home
  const homeFetch = (await clouds[used.deployment.provider].open(env)).reach(origin)
  const { institution } = await connectActive(opened, used.home, homeFetch)
  const asking = {
    fetch: (await clouds[provider].open(env)).reach(made.origin),
    origin: made.origin,
    signer: actingInstance(institution),
    now: screen.terminal.now,
  }
  return { clients: registerBehind(asking), institution: id, base: made.origin, cloud: name }
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

function asked(
  asking: Asking,
  method: Question['method'],
  path: string,
  body: object | null = null,
): Promise<unknown> {
  return askBridge(asking, { method, path, body, maxAnswerBytes: MAX_ANSWER_BYTES })
}

function shown({ since, scopes, ...rest }: ClientAnswer): ShownClient {
  return { ...rest, scopes: parseScopes(scopes), changedMs: timestampMs(since) }
}
