// SPDX-License-Identifier: Apache-2.0
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpClient,
  type HttpMethods,
} from '@azure/core-rest-pipeline'
import type { TokenCredential } from '@azure/identity'
import { failure } from '../failure.ts'
import { errorIn, failureOf, refusal } from './failure.ts'

/** Who asks Azure, and through what. */
export interface Connection {
  readonly credential: TokenCredential
  /** Sends requests in place of Node's own client: the tests' way to fakes. */
  readonly send?: HttpClient
  /** How often a request is tried again that got no answer, or that the service is too busy for. */
  readonly retries?: number
  /** Waits so many milliseconds, between two looks at what takes long. */
  readonly pause: (ms: number) => Promise<void>
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly header: (name: string) => string | undefined
}

/** What is asked. */
export interface Asked {
  readonly method: HttpMethods
  readonly url: string
  readonly body?: unknown
  readonly bytes?: Uint8Array
  readonly contentType?: string
}

/** Sends one request with a token. @throws DeployFailure where nothing is answered at all */
export type Rest = (asked: Asked) => Promise<Answer>

const ARM = 'https://management.azure.com'
const RETRIES = 4
/** For one request with its answer, in milliseconds, each time that it is tried: bundles are sent in one. */
const REQUEST_MS = 120_000

/** One service: for whom its tokens are, and at which hosts it is. */
export interface Service {
  readonly scope: string
  readonly hosts: RegExp
}

/** Requests with tokens for one service, and to no other host, whatever an answer says where to look next. */
export function openRest(
  { credential, send, retries = RETRIES }: Connection,
  { scope, hosts }: Service,
): Rest {
  const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: retries } })
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: scope }))
  const client = withinTime(send ?? createDefaultHttpClient())
  return async ({ method, url, body, bytes, contentType = 'application/json' }) => {
    checkHost(url, hosts)
    const content = bytes ?? (body === undefined ? undefined : JSON.stringify(body))
    const headers = createHttpHeaders(content === undefined ? {} : { 'content-type': contentType })
    const request = createPipelineRequest({ url, method, headers })
    if (content !== undefined) request.body = content
    try {
      const answer = await pipeline.sendRequest(client, request)
      return {
        status: answer.status,
        body: parsed(answer.bodyAsText ?? ''),
        header: (name) => answer.headers.get(name),
      }
    } catch (error) {
      throw failureOf(error)
    }
  }
}

/** Each try by itself: a service that is too busy may ask to be left alone for a minute, twice. */
function withinTime(client: HttpClient): HttpClient {
  return {
    // A signal and not the client's own time-out, whose timer lives on where a request fails, and with it the process.
    sendRequest: (request) =>
      client.sendRequest({ ...request, abortSignal: AbortSignal.timeout(REQUEST_MS) }),
  }
}

function checkHost(url: string, hosts: RegExp): void {
  const { protocol, host } = URL.parse(url) ?? { protocol: '', host: '' }
  if (protocol === 'https:' && hosts.test(host)) return
  throw failure(
    'Azure named a host that is not its own, which was asked nothing',
    'check what is between you and Azure',
  )
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : (JSON.parse(text) as unknown)
  } catch {
    return null
  }
}

/** Azure Resource Manager, by paths such as `/subscriptions/ID/resourcegroups/NAME`. Every method throws a DeployFailure. */
export interface Arm {
  /** Null where there is none. */
  readonly find: (path: string, version: string) => Promise<unknown>
  readonly get: (path: string, version: string) => Promise<unknown>
  /** All pages of a list. */
  readonly list: (path: string, version: string) => Promise<readonly unknown[]>
  readonly put: (path: string, version: string, body: object) => Promise<unknown>
  /** Waits for what is answered later. */
  readonly post: (path: string, version: string, body: object) => Promise<unknown>
  /** Begins to remove; what is gone already is success. */
  readonly remove: (path: string, version: string) => Promise<void>
  /** When Azure last answered, by its own clock, in ms; null before. */
  readonly clock: () => number | null
}

/** Between two looks at an answer that comes later, in milliseconds, and for how long. */
const LOOK_MS = 2000
const LATER_MS = 600_000

/**
 * The requests are written here and not by Azure's clients, which are three packages and leave out what half of these ask for: names that are
 * free, quotas, regions of Flex Consumption.
 */
export function openArm(connection: Connection): Arm {
  const rest = openRest(connection, { scope: `${ARM}/.default`, hosts: /^management\.azure\.com$/ })
  let date: string | undefined
  const ask = async (method: HttpMethods, url: string, body?: object): Promise<Answer> => {
    const answer = await rest({ method, url, ...(body && { body }) })
    date = answer.header('date') ?? date
    return answer
  }
  const checked = async (method: HttpMethods, url: string, body?: object): Promise<Answer> => {
    const answer = await ask(method, url, body)
    if (answer.status >= 300) throw refusal(`${method} ${kindOf(url)}`, errorIn(answer.body, answer.status))
    return answer
  }
  return {
    find: async (path, version) => {
      const answer = await ask('GET', urlOf(path, version))
      if (answer.status === 404) return null
      if (answer.status < 300) return answer.body
      throw refusal(`GET ${kindOf(path)}`, errorIn(answer.body, answer.status))
    },
    get: async (path, version) => (await checked('GET', urlOf(path, version))).body,
    list: (path, version) => pages((url) => checked('GET', url), urlOf(path, version)),
    put: async (path, version, body) => (await checked('PUT', urlOf(path, version), body)).body,
    post: async (path, version, body) => {
      let answer = await checked('POST', urlOf(path, version), body)
      for (let waited = 0; answer.status === 202 && waited <= LATER_MS; waited += LOOK_MS) {
        await connection.pause(LOOK_MS)
        answer = await checked('GET', answer.header('location') ?? urlOf(path, version))
      }
      return answer.body
    },
    remove: async (path, version) => {
      const { status, body } = await ask('DELETE', urlOf(path, version))
      if (status >= 300 && status !== 404) throw refusal(`DELETE ${kindOf(path)}`, errorIn(body, status))
    },
    clock: () => (date === undefined ? null : Date.parse(date)),
  }
}

async function pages(ask: (url: string) => Promise<Answer>, from: string): Promise<readonly unknown[]> {
  const all: unknown[] = []
  for (let url: string | undefined = from; url !== undefined;) {
    const { body } = await ask(url)
    const page = body as { value?: readonly unknown[]; nextLink?: string } | null
    all.push(...(page?.value ?? []))
    url = page?.nextLink
  }
  return all
}

function urlOf(path: string, version: string): string {
  return `${ARM}${path}${path.includes('?') ? '&' : '?'}api-version=${version}`
}

/** What a path is of, without names and ids: `Microsoft.Web/sites`, `resourcegroups`. */
function kindOf(path: string): string {
  const [plain = ''] = path.replace(ARM, '').split('?')
  const [, provider] = /\/providers\/([^/]+(?:\/[^/]+)?)/.exec(plain) ?? []
  return provider ?? plain.split('/')[3] ?? 'subscriptions'
}
