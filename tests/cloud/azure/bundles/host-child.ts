// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import Module, { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import { VAULT_URL } from '../fake-vault.ts'
import type { Asked, Registered, Started, Told } from './functions-host.ts'

/**
 * A stand-in for the host and the worker of Azure Functions, which cannot be had here: it gives a bundle the module
 * `@azure/functions-core`, and then calls what the bundle registered as the worker does, requests through the HTTP proxy of
 * the library. What it does not show is the host's own part: routing, leases, its limits.
 */
interface Invocation {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>
  invokeFunction(context: unknown, inputs: unknown[], handler: unknown): Promise<unknown>
  getResponse(context: unknown, result: unknown): Promise<object>
}
interface Model {
  getInvocationModel(core: object): Invocation
  getCapabilities(capabilities: object): Promise<{ HttpUri?: string }>
}

const [bundle = '', vaultOrigin = '', aheadMs = '0'] = process.argv.slice(2)
const realNow = Date.now
let ahead = Number(aheadMs)
Date.now = () => realNow() + ahead
const functions = new Map<string, { registered: Registered; handler: unknown }>()
const made: { model?: Model } = {}

class Disposable {
  dispose(): void {}
}
const core = {
  registerFunction: (registered: Registered, handler: unknown) => {
    functions.set(registered.name, { registered, handler })
    return new Disposable()
  },
  setProgrammingModel: (model: Model) => void (made.model = model),
  getProgrammingModel: () => made.model,
  registerHook: () => new Disposable(),
  log: () => {},
  Disposable,
}

function registering(): Model {
  if (!made.model) throw new Error('nothing was registered')
  return made.model
}

/** What the worker does for each invocation. */
async function invoke(
  name: string,
  data: object,
  triggerMetadata: object,
  invocationId: string = randomUUID(),
): Promise<object> {
  const found = functions.get(name)
  if (!found) throw new Error(`no function ${name}`)
  const { bindings } = found.registered
  const [input] = Object.entries(bindings).find(([, { direction }]) => direction === 'in') ?? []
  const request = { invocationId, inputData: [{ name: input, data }], triggerMetadata }
  const metadata = { name, bindings }
  const invocation = registering().getInvocationModel({ invocationId, metadata, request, log: () => {} })
  const { context, inputs } = await invocation.getArguments()
  return invocation.getResponse(context, await invocation.invokeFunction(context, inputs, found.handler))
}

/** What the host does with a request when a worker has an HTTP proxy: sends it there, and asks for the invocation that it names. */
function forward(proxy: URL, asked: IncomingMessage, answer: ServerResponse): void {
  const invocationId = randomUUID()
  const name = [...functions.values()].find(({ registered }) =>
    Object.values(registered.bindings).some(({ type }) => type === 'httpTrigger'),
  )?.registered.name
  const headers = {
    ...asked.headers,
    'x-ms-invocation-id': invocationId,
    'x-forwarded-host': 'an-app.azurewebsites.net',
    'x-forwarded-proto': 'https',
  }
  const { port } = proxy
  const sent = http.request(
    { hostname: '127.0.0.1', port, path: asked.url, method: asked.method, headers, agent: false },
    (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(answer)
    },
  )
  sent.on('error', () => answer.destroy())
  asked.pipe(sent)
  const metadata = { Headers: { json: JSON.stringify(asked.headers) }, path: { string: asked.url } }
  invoke(name ?? '', { http: {} }, metadata, invocationId).catch((error: unknown) => {
    answer.writeHead(500).end(String(error))
    sent.destroy()
  })
}

/** Local addresses only, and the vault's name led to the fake: its SDK shows no token without https. */
function patch(): void {
  const prototype = Module.prototype as { require: (this: Module, id: string) => unknown }
  const inner = prototype.require
  prototype.require = function (this: Module, id) {
    return id === '@azure/functions-core' ? core : inner.call(this, id)
  }
  const { request } = https
  const { hostname, port } = new URL(vaultOrigin)
  const led = (options: https.RequestOptions, heard?: (response: IncomingMessage) => void) =>
    options.hostname === new URL(VAULT_URL).hostname
      ? http.request({ ...options, agent: false, protocol: 'http:', hostname, port }, heard)
      : request(options, heard)
  https.request = led as typeof https.request
  const { createServer } = http
  http.createServer = ((...given: Parameters<typeof createServer>) => {
    const server = createServer(...given)
    const listen = server.listen.bind(server) as (...args: unknown[]) => http.Server
    server.listen = ((...args: unknown[]) =>
      typeof args[0] === 'function'
        ? listen(0, '127.0.0.1', args[0])
        : listen(...args)) as typeof server.listen
    return server
  }) as typeof createServer
  syncBuiltinESMExports()
}

/** The address of a home is the front's, which is elsewhere here: who asks it from a function is led there. */
function leadToFront(front: string | undefined): void {
  if (front === undefined) return
  const inner = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { host, pathname, search } = new URL(request.url)
    if (!host.endsWith('.azure-api.net')) return inner(request)
    const { method, headers } = request
    const body = method === 'GET' || method === 'HEAD' ? null : await request.arrayBuffer()
    return inner(`${front}${pathname}${search}`, { method, headers, body })
  }
}

const tell = (told: Told | { readonly started: Started }) => process.send?.(told)

async function obey({ id, call, data, now }: Asked): Promise<void> {
  if (now !== undefined) ahead = now
  try {
    if (call !== undefined) await invoke(call, { json: JSON.stringify(data) }, {})
    tell({ id })
  } catch (error) {
    tell({ id, failed: String((error as { code?: string }).code ?? error) })
  }
}

patch()
leadToFront(process.env['AMPERE_TEST_FRONT'])
await import(bundle)
const { HttpUri } = await registering().getCapabilities({})
const front = http.createServer((asked, answer) => {
  if (HttpUri === undefined) answer.writeHead(404).end()
  else forward(new URL(HttpUri), asked, answer)
})
await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
process.on('message', (asked: Asked) => void obey(asked))
process.on('disconnect', () => process.exit())
tell({
  started: {
    port: (front.address() as AddressInfo).port,
    functions: [...functions.values()].map(({ registered }) => registered),
    streams: HttpUri !== undefined,
  },
})
