// SPDX-License-Identifier: Apache-2.0
import { serve } from '@hono/node-server'
import { AmpereError } from '#core/errors.ts'
import { problemResponse } from './problem.ts'

/** A server that listens; `close` stops it after the requests that run. */
export interface Listening {
  readonly port: number
  readonly close: () => Promise<void>
}

type Answerer = (request: Request) => Response | Promise<Response>

/** Names under which a browser on this machine reaches it. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** What browsers say of a request that no page of another site made (Sec-Fetch-Site); other software says nothing. */
const OWN_SITES: ReadonlySet<string> = new Set(['none', 'same-origin'])

/**
 * Listens on 127.0.0.1 only. With `next`, the next free port is taken. A request for any other host is
 * refused: a web page whose name was pointed at 127.0.0.1 after it was loaded could read everything here. So is
 * what another site's page asks for: it reads no answer, but sees whether there is one, and would fill access logs.
 * @throws AmpereError PORT_IN_USE
 */
export async function listen(fetch: Answerer, port: number, next: boolean): Promise<Listening> {
  for (let candidate = port; candidate < port + 20; candidate++) {
    const listening = await tryListen(loopbackOnly(fetch), candidate)
    if (listening) return listening
    if (!next) break
  }
  throw new AmpereError('PORT_IN_USE', `port ${port} is in use; choose another with --port`)
}

function loopbackOnly(fetch: Answerer): Answerer {
  return (request) => {
    const error = refusalOf(request)
    return error ? problemResponse(error, 'r_none') : fetch(request)
  }
}

function refusalOf(request: Request): AmpereError | null {
  if (!LOOPBACK.has(new URL(request.url).hostname))
    return new AmpereError('MISDIRECTED', 'this server answers to 127.0.0.1 and localhost only')
  return OWN_SITES.has(request.headers.get('sec-fetch-site') ?? 'none')
    ? null
    : new AmpereError('FORBIDDEN', 'this server answers to no page of another site')
}

function tryListen(fetch: Answerer, port: number): Promise<Listening | null> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: '127.0.0.1' }, (info) => {
      resolve({
        port: info.port,
        close: () => new Promise((done) => server.close(() => done())),
      })
    })
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(error)
    })
  })
}
