// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http'
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
  const at: { fetch?: (request: Request) => Response | Promise<Response> } = {}
  const server = createServer((asked, answer) => {
    const parts: Buffer[] = []
    asked.on('data', (part: Buffer) => parts.push(part))
    asked.on('end', () => {
      const body = parts.length > 0 ? { body: Buffer.concat(parts) } : {}
      const headers = { 'content-type': asked.headers['content-type'] ?? 'text/plain' }
      const request = new Request(`${own}${asked.url}`, { method: asked.method ?? 'GET', headers, ...body })
      void Promise.resolve(at.fetch?.(request)).then(async (response) => {
        answer.writeHead(response?.status ?? 500, Object.fromEntries(response?.headers ?? []))
        answer.end(response ? await response.text() : '')
      })
    })
  })
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
