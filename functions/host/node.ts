// SPDX-License-Identifier: Apache-2.0
import { serve } from '@hono/node-server'
import { AmpereError } from '#core/errors.ts'

/** A server that listens; `close` stops it after the requests that run. */
export interface Listening {
  readonly port: number
  readonly close: () => Promise<void>
}

/** Listens on 127.0.0.1 only. With `next`, the next free port is taken. @throws AmpereError PORT_IN_USE */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  port: number,
  next: boolean,
): Promise<Listening> {
  for (let candidate = port; candidate < port + 20; candidate++) {
    const listening = await tryListen(fetch, candidate)
    if (listening) return listening
    if (!next) break
  }
  throw new AmpereError('PORT_IN_USE', `port ${port} is in use; choose another with --port`)
}

function tryListen(
  fetch: (request: Request) => Response | Promise<Response>,
  port: number,
): Promise<Listening | null> {
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
