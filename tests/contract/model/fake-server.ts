// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it came over the wire. */
export interface Received {
  readonly method: string
  /** Path and query, as sent. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the server does with one request. */
export type Reply = (response: ServerResponse, received: Received) => void

/** A server in the place of a language model's: it does with each request what the test said, and no model is behind it. */
export interface FakeServer {
  readonly origin: string
  readonly received: readonly Received[]
  /** What is done with every request from now on; resolves when it has been done once. */
  readonly reply: (reply: Reply) => Promise<void>
  /** Resolves when a connection that was open during the last reply has ended. */
  readonly hungUp: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Listens on a free port of 127.0.0.1. */
export async function startFakeServer(): Promise<FakeServer> {
  const received: Received[] = []
  let current: Reply = (response) => json(500, '{}')(response, noRequest)
  let done = () => {}
  let hungUp: Promise<void> = Promise.resolve()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const one = { method, target: url, headers, body: Buffer.concat(chunks).toString('utf8') }
      received.push(one)
      hungUp = new Promise((resolve) => response.once('close', resolve))
      current(response, one)
      done()
    })
    // Whoever asks may hang up at any time.
    request.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    reply: (reply) => {
      received.length = 0
      current = reply
      return new Promise((resolve) => (done = resolve))
    },
    hungUp: () => hungUp,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

const noRequest: Received = { method: '', target: '', headers: {}, body: '' }

/** A whole answer. */
export function json(
  status: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}

/** Takes the request and says nothing. */
export const silent: Reply = () => {}

/** The beginning of an answer, and then nothing. */
export function stuck(body: string): Reply {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(body.slice(0, 20))
  }
}

/** The beginning of an answer that says how long it will be, and then a reset connection. */
export function reset(body: string): Reply {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) })
    response.write(body.slice(0, -5), () => response.socket?.resetAndDestroy())
  }
}

/** An answer without an end, as fast as it is read, until whoever asks hangs up. */
export const endless: Reply = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const chunk = Buffer.alloc(64 * 1024, ' ')
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', more)
  more()
}
