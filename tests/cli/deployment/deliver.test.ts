// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from '@jest/globals'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deliver } from '#cli/commands/data/send/deliver.ts'

const CHUNK = Buffer.alloc(64 * 1024, 0x20)
const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
})

/** The address of a server on this computer that behaves so. */
async function serverThat(behaves: RequestListener): Promise<string> {
  const server = createServer(behaves)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('delivering to a server', () => {
  const deliverTo = async (base: string) => {
    const place = { position: 1, resource: 'Patient/p1' } as never
    const delivery = { method: 'POST', path: '', body: '{}', places: [place] } as never
    const target = { base, token: null, timeoutMs: 600_000, fetch, wait: async () => undefined, now: () => 0 }
    return (await deliver(target, delivery)).map(({ status, outcome }) => `${status} ${outcome}`)
  }

  it.each([
    [200, '0 unknown'],
    [400, '400 refused'],
  ])('that answers %i without end leaves it and says that the resource is %s', async (status, outcome) => {
    const gone = Promise.withResolvers<void>()
    const base = await serverThat((_, response) => {
      response.writeHead(status).on('close', () => gone.resolve())
      const more = () => {
        while (!response.destroyed && response.write(CHUNK));
      }
      response.on('drain', more)
      more()
    })
    expect(await deliverTo(base)).toEqual([outcome])
    await gone.promise
  })

  it('that redirects sends the resource to nobody else, and says that it is refused', async () => {
    const asked: string[] = []
    const location = await serverThat((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(201).end()
    })
    const base = await serverThat((_, response) => response.writeHead(307, { location }).end())
    expect(await deliverTo(base)).toEqual(['307 refused'])
    expect(asked).toEqual([])
  })
})
