// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Client, Clients } from '#core/bridge/store/clients.ts'
import { authenticateInstitution, type InstitutionLogin } from '#core/bridge/token/institution.ts'
import { AmpereError } from '#core/errors.ts'
import {
  clientIdIn,
  MAX_REGISTRATION_BYTES,
  readClientChange,
  type ClientAnswer,
} from '#core/token/client-registration.ts'
import { formatScopes } from '#core/token/scopes.ts'
import { readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'
import { problem } from '../host/problem.ts'

/** What one request does with one client. */
type Act = (clients: Clients, id: string, body: Uint8Array) => Promise<Response>

const NO_BODY = new Uint8Array(0)

/**
 * Where an institution registers the clients of a bridge that is not on its own computer. It asks by signed requests, as a home is asked;
 * no token reaches here.
 */
export function addClients(app: RoleApp, clients: Clients, login: InstitutionLogin, hosting: Hosting): void {
  const answering = async (c: Context, act: (method: string) => Promise<Response>) => {
    try {
      return await act(c.req.method === 'HEAD' ? 'GET' : c.req.method)
    } catch (error) {
      return problem(c, error, hosting.log)
    }
  }
  const check = (c: Context, method: string, path: string, body: Uint8Array) => {
    const authorization = c.req.header('authorization') ?? null
    // Written anew from what it names, because gateways decode paths.
    const target = path + new URL(c.req.url).search
    return authenticateInstitution(login, { method, target, body, authorization })
  }
  app.all('/clients', (c) =>
    answering(c, async (method) => {
      if (method !== 'GET') return notAllowed(c, hosting, 'GET, HEAD')
      await check(c, method, '/clients', NO_BODY)
      return json({ items: (await clients.list()).map(answerOf) })
    }),
  )
  app.all('/clients/:id{.+}', (c) =>
    answering(c, async (method) => {
      const act = ACTS.get(method)
      if (!act) return notAllowed(c, hosting, 'GET, HEAD, PUT, DELETE')
      const id = c.req.param('id') ?? ''
      const body = method === 'PUT' ? await jsonBody(c) : NO_BODY
      await check(c, method, `/clients/${encodeURIComponent(id)}`, body)
      return act(clients, clientIdIn(id), body)
    }),
  )
}

const ACTS: ReadonlyMap<string, Act> = new Map<string, Act>([
  [
    'GET',
    async (clients, id) => {
      const client = await clients.find(id)
      if (!client) throw noneSuch()
      return json(answerOf(client))
    },
  ],
  [
    'PUT',
    async (clients, id, body) => {
      const wanted = readClientChange(jsonIn(body))
      if (wanted === 'suspended') return json(answerOf(await clients.suspend(id)))
      const isNew = (await clients.find(id)) === null
      return json(answerOf(await clients.register({ id, ...wanted })), isNew ? 201 : 200)
    },
  ],
  [
    'DELETE',
    async (clients, id) => {
      if (await clients.remove(id)) return new Response(null, { status: 204 })
      throw noneSuch()
    },
  ],
])

async function jsonBody(c: Context): Promise<Uint8Array> {
  requireType(c.req.raw, 'application/json')
  return readBody(c.req.raw, MAX_REGISTRATION_BYTES)
}

function jsonIn(body: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(body))
  } catch (cause) {
    throw new AmpereError('REQUEST_MALFORMED', 'the body is not JSON', { cause })
  }
}

/** Nothing by which tokens are known again, and no key but its name. */
function answerOf({ id, name, status, scopes, jwksUrl, keys, changedMs }: Client): ClientAnswer {
  const named = keys.map(({ kid, alg }) => ({ kid, alg }))
  return {
    id,
    name,
    status,
    scopes: formatScopes(scopes),
    jwksUrl,
    keys: named,
    since: toTimestamp(changedMs),
  }
}

function json(body: object, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
}

function notAllowed(c: Context, { log }: Hosting, allow: string): Response {
  return problem(c, new AmpereError('METHOD_NOT_ALLOWED', `use ${allow}`), log, { allow })
}

function noneSuch(): AmpereError {
  return new AmpereError('NOT_FOUND', 'no such client')
}
