// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openMemory } from '#adapters/memory/open.ts'
import { logOriginOf, witnessNameOf, WITNESS_PREFIX } from '#core/api/log.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import type { Now } from '#core/ports/keys.ts'
import { select } from '#core/ports/needs.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { witnessApp } from '#functions/witness/app.ts'

/** A witness of somebody else, which functions reach over the network. */
export interface OutsideWitness {
  /** What its operator hands over: lines of a policy. */
  readonly keys: string
  readonly close: () => void
}

/** @param logKeys verifier keys of the log of the home at `origin`, which it cosigns */
export async function outsideWitness(
  origin: string,
  logKeys: readonly string[],
  now: Now = () => Date.now(),
): Promise<OutsideWitness> {
  const platform = openMemory({ now })
  const ports = await select(platform, WITNESS_NEEDS)
  await addLog(ports, logOriginOf(origin), logKeys)
  const at: Answering = {}
  const server = createServer((asked, answer) => void pass(at, asked, answer))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const name = witnessNameOf(own)
  const { random } = platform
  const app = witnessApp(ports, { name, verifiers: createVerifiers() }, { now, random, log: silentLog })
  at.fetch = (request) => app.fetch(request)
  const lines = witnessKeys(ports, name).map(
    (key, i) => `witness outside-${i} ${formatVerifierKey(key)} ${own}${WITNESS_PREFIX}\n`,
  )
  return {
    keys: lines.join(''),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

interface Answering {
  fetch?: (request: Request) => Response | Promise<Response>
}

async function pass({ fetch }: Answering, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of asked) parts.push(part as Buffer)
  const body = parts.length > 0 ? { body: Buffer.concat(parts) } : {}
  const headers = { 'content-type': asked.headers['content-type'] ?? 'text/plain' }
  const url = new URL(asked.url ?? '/', `http://${asked.headers.host}`)
  const response = await fetch?.(new Request(url, { method: asked.method ?? 'GET', headers, ...body }))
  answer.writeHead(response?.status ?? 500, Object.fromEntries(response?.headers ?? []))
  answer.end(await response?.text())
}
