// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Recorded } from './recorded.ts'

/** How a server answers instead of what was recorded. */
export type Behaviour = (recorded: Recorded, response: ServerResponse, request: IncomingMessage) => void

/** A server on this computer that behaves so. */
export interface MisbehavingServer {
  readonly base: string
  /** Sends a request there, in place of where it was to go. */
  answer(recorded: Recorded, request: Request): Promise<Response>
  close(): Promise<void>
}

export async function misbehaving(behave: Behaviour): Promise<MisbehavingServer> {
  let asked: Recorded | null = null
  const server = createServer((request, response) => {
    // Nothing that is wrong in one answer may be taken for the beginning of the next.
    response.shouldKeepAlive = false
    if (asked) behave(asked, response, request)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    base,
    answer: (recorded, request) => {
      asked = recorded
      const { pathname, search } = new URL(request.url)
      return fetch(new Request(`${base}${pathname}${search}`, request))
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
