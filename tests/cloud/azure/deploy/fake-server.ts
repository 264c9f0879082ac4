// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeServer } from '../fake-vault.ts'

/** What a fake is asked. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string
  readonly contentType: string
  readonly bytes: Buffer
}
export interface Answered {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}
/** How a request fails: nothing is done, or it is done and nobody learns of it. */
export type Break = 'not-applied' | 'applied-unknown' | null

export interface FakeServer {
  readonly origin: string
  readonly close: () => Promise<void>
}

/** A server on this computer that answers as `answer` says, and breaks connections as `breaks` says. */
export async function startFake(
  answer: (asked: Asked) => Answered,
  breaks: (asked: Asked) => Break,
): Promise<FakeServer> {
  const server = createServer((request, response) => {
    void read(request).then((asked) => {
      const how = breaks(asked)
      if (how === 'not-applied') return request.socket.destroy()
      const { status, body, headers = {} } = answer(asked)
      if (how === 'applied-unknown') return request.socket.destroy()
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      return response.end(body === undefined ? '' : JSON.stringify(body))
    })
  })
  // A process that computes for longer than a server keeps idle connections meets one that has just ended, with no call of it failed.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => closeServer(server) }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
  return {
    method: request.method ?? '',
    path: decodeURIComponent(pathname),
    query: searchParams,
    authorization: request.headers.authorization ?? '',
    contentType: request.headers['content-type'] ?? '',
    bytes: Buffer.concat(parts),
  }
}
