// SPDX-License-Identifier: Apache-2.0
// Loads the bundle of a role, has it answer once, and says how long that took. In a process of its own.
import type http from 'node:http'
import type https from 'node:https'
import Module, { syncBuiltinESMExports } from 'node:module'

/** What it is told. */
export interface Asked {
  readonly provider: 'aws' | 'azure'
  /** URL of the bundle's entry. */
  readonly bundle: string
  /** What it is asked; null where it is woken. */
  readonly request: { readonly method: string; readonly path: string; readonly body: string } | null
  /** Name and origin of the fake of Key Vault. */
  readonly vault: readonly [name: string, origin: string] | null
}
/** What it says, in milliseconds: from when the bundle is imported, and of CPU of this process since. */
export interface Told {
  readonly importMs: number
  readonly answerMs: number
  readonly cpuMs: number
  /** Of the HTTP answer; 0 where it was woken. */
  readonly status: number
}

type Handler = (
  event: unknown,
  context?: unknown,
) => Promise<{ status?: number; statusCode?: number } | null | undefined>

const { provider, bundle, request, vault } = JSON.parse(process.argv[2] ?? '') as Asked
const registered = new Map<string, Handler>()
if (provider === 'azure') standInForHost()
const cpu = process.cpuUsage()
const begun = performance.now()
const loaded = (await import(bundle)) as { readonly handler?: Handler }
const imported = performance.now()
const status = await answerOnce(loaded.handler)
const answered = performance.now()
const { user, system } = process.cpuUsage(cpu)
const told: Told = {
  importMs: imported - begun,
  answerMs: answered - imported,
  cpuMs: (user + system) / 1000,
  status,
}
process.stdout.write(`\n${JSON.stringify(told)}`, () => process.exit(0))

async function answerOnce(lambda: Handler | undefined): Promise<number> {
  if (lambda) {
    const result = await lambda(request ? lambdaEvent(request) : { source: 'aws.events' })
    return result?.statusCode ?? 0
  }
  const wanted = [...registered].find(([name]) => name.endsWith('-schedule') !== (request !== null))
  if (!wanted) throw new Error('nothing was registered')
  const [, handler] = wanted
  if (!request) return (await handler({}, {}))?.status ?? 0
  const { method, path, body } = request
  const sent = method === 'GET' ? {} : { body: Buffer.from(body, 'base64') }
  return (await handler(new Request(`https://app.test${path}`, { method, ...sent }), {}))?.status ?? 0
}

function lambdaEvent({ method, path, body }: NonNullable<Asked['request']>): object {
  return {
    version: '2.0',
    rawPath: path,
    rawQueryString: '',
    headers: {},
    requestContext: { http: { method } },
    ...(body === '' ? {} : { body, isBase64Encoded: true }),
  }
}

/** `@azure/functions-core`, which only the host has, and the name of the vault led to its fake. */
function standInForHost(): void {
  const nothing = (): void => {}
  const core = {
    registerFunction: ({ name }: { readonly name: string }, handler: Handler) =>
      void registered.set(name, handler),
    setProgrammingModel: nothing,
    getProgrammingModel: nothing,
    registerHook: nothing,
    log: nothing,
    Disposable: class {
      dispose = nothing
    },
  }
  const prototype = Module.prototype as { require: (this: Module, id: string) => unknown }
  const inner = prototype.require
  prototype.require = function (this: Module, id) {
    return id === '@azure/functions-core' ? core : inner.call(this, id)
  }
  // Not imported: that would load Node's fetch, before it is measured that a bundle does.
  const [plain, secure] = [process.getBuiltinModule('node:http'), process.getBuiltinModule('node:https')]
  const { request: send } = secure
  const led = (options: https.RequestOptions, heard?: (response: http.IncomingMessage) => void) => {
    if (!vault || options.hostname !== vault[0]) return send(options, heard)
    const { hostname, port } = new URL(vault[1])
    return plain.request({ ...options, agent: false, protocol: 'http:', hostname, port }, heard)
  }
  secure.request = led as typeof https.request
  syncBuiltinESMExports()
}
