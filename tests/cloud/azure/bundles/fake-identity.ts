// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeServer, TOKEN } from '../fake-vault.ts'

/** A fake of the endpoint at which App Service gives tokens of a managed identity (IDENTITY_ENDPOINT, api-version 2019-08-01). */
export interface FakeIdentity {
  /** What App Service sets in the environment of a function. */
  readonly env: Readonly<Record<'IDENTITY_ENDPOINT' | 'IDENTITY_HEADER', string>>
  /** `client id resource` of each token that was given. */
  readonly given: ReadonlySet<string>
  close(): Promise<void>
}

const HEADER = 'header-of-a-test'
/** Longer than any clock of a test is ahead. */
const LIFETIME_S = 30 * 86_400

export async function startFakeIdentity(): Promise<FakeIdentity> {
  const given = new Set<string>()
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const [version, resource, client] = ['api-version', 'resource', 'client_id'].map((name) =>
      searchParams.get(name),
    )
    if (request.headers['x-identity-header'] !== HEADER || version !== '2019-08-01' || !resource || !client) {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"statusCode":400}')
      return
    }
    given.add(`${client} ${resource}`)
    const answer = {
      access_token: TOKEN,
      client_id: client,
      expires_on: String(Math.floor(Date.now() / 1000) + LIFETIME_S),
      resource,
      token_type: 'Bearer',
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    env: { IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/msi/token`, IDENTITY_HEADER: HEADER },
    given,
    close: () => closeServer(server),
  }
}
