// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import type { Fetch } from '#core/ports/keys.ts'
import { freshFolder } from '#tests/cli/harness.ts'
import { roleFor } from '#tests/functions/host/apart.ts'
import type { FakeIdentity } from '../bundles/fake-identity.ts'
import { startHost, type FunctionsHost } from '../bundles/functions-host.ts'
import { ask, clientIdOf, triggerOf, triggerSettings } from '../bundles/functions-home.ts'
import { EMULATOR, type Stack } from '../stack.ts'
import type { FakeScm } from './fake-scm.ts'

/** The packages that were published, each run in a process of its own by the stand-in for its host. */
export interface PublishedBundles {
  /** What the front of the home does. */
  readonly fetch: Fetch
  /** Has the schedule of a role call it. */
  readonly timer: (role: string) => Promise<void>
  /** Where the front is reached by whoever is in no function. */
  readonly origin: () => Promise<string>
  readonly close: () => Promise<void>
}

type Files = Readonly<Record<string, Uint8Array>>

export function publishedBundles(
  scm: FakeScm,
  prefix: string,
  { stack, identity }: { readonly stack: Stack; readonly identity: FakeIdentity },
): PublishedBundles {
  const root = freshFolder()
  const hosts = new Map<string, { readonly files: Files; readonly running: Promise<FunctionsHost> }>()
  const front = openFront(async (request) => published.fetch(request))
  const filesOf = (role: string): Files => {
    const [, files] = [...scm.packages].find(([name]) => name.startsWith(`${prefix}-${role}-`)) ?? []
    if (files) return files
    throw new TypeError(`nothing is published for ${role}`)
  }
  const start = async (role: string, files: Files) => {
    const folder = join(root, role)
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), bytes)
    }
    const { naming, vault } = stack
    // As the template names them: whoever deployed had them listed, and wrapped seeds with them.
    const vaultKeys = { ...naming.keys.vault, instance: 'instance', bridge: 'bridge', sealing: 'sealing' }
    const named = { ...naming, keys: { ...naming.keys, vault: vaultKeys } }
    const env = {
      ...identity.env,
      AMPERE_AZURE: JSON.stringify({ naming: named, clientId: clientIdOf(role), emulator: EMULATOR }),
      ...triggerSettings(role, naming.database),
      AMPERE_TEST_FRONT: (await front).origin,
    }
    return startHost({ folder, env, vaultOrigin: vault.origin, aheadMs: 0 })
  }
  // Whoever publishes has the app started anew.
  const restart = async (role: string, files: Files, before?: Promise<FunctionsHost>) => {
    await (await before)?.close()
    return start(role, files)
  }
  const host = (role: string): Promise<FunctionsHost> => {
    const [known, files] = [hosts.get(role), filesOf(role)]
    if (known?.files === files) return known.running
    const running = restart(role, files, known?.running)
    hosts.set(role, { files, running })
    return running
  }
  const published: PublishedBundles = {
    fetch: async (request) => ask(await host(answering(request)), request),
    timer: async (role) => {
      const [name] = triggerOf(await host(role), 'timerTrigger')
      const data = { Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false }
      await (await host(role)).ask({ call: name, data })
    },
    origin: async () => (await front).origin,
    close: async () => {
      for (const { running } of hosts.values()) await (await running).close()
      await (await front).close()
    },
  }
  return published
}

/** As the front has it: what is a bridge's, and what is a home's. */
function answering(request: Request): string {
  return /^\/(?:fhir|oauth|clients|pairing|rows)(?:\/|$)/.test(new URL(request.url).pathname)
    ? 'bridge'
    : roleFor(request)
}

/** Where functions reach the front. */
async function openFront(fetch: Fetch) {
  const server = createServer((asked, answer) => {
    const chunks: Buffer[] = []
    asked.on('data', (chunk: Buffer) => chunks.push(chunk))
    asked.on('end', () => {
      void answerWith(fetch, asked, Buffer.concat(chunks), answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answerWith(
  fetch: Fetch,
  asked: IncomingMessage,
  body: Buffer,
  answer: ServerResponse,
): Promise<void> {
  try {
    const response = await pass(fetch, asked, body)
    answer.writeHead(response.status, Object.fromEntries(response.headers))
    answer.end(Buffer.from(await response.arrayBuffer()))
  } catch {
    answer.destroy()
  }
}

function pass(
  fetch: Fetch,
  { method = 'GET', url = '/', headers }: IncomingMessage,
  body: Buffer,
): Promise<Response> {
  // What the connection said of itself is not the request's.
  const { host: _, connection: __, 'transfer-encoding': ___, ...given } = headers
  const named = Object.entries(given).map(([name, value]): [string, string] => [name, String(value)])
  const bodied = method !== 'GET' && method !== 'HEAD'
  return fetch(
    new Request(`http://front.test${url}`, {
      method,
      headers: named,
      ...(bodied && { body: new Uint8Array(body) }),
    }),
  )
}
