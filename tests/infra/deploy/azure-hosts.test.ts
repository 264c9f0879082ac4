// SPDX-License-Identifier: Apache-2.0
import { createHttpHeaders, type PipelineRequest, type PipelineResponse } from '@azure/core-rest-pipeline'
import { describe, expect, it } from '@jest/globals'
import { openArm, type Connection } from '#infra/deploy/azure/arm.ts'
import { openPublisher } from '#infra/deploy/azure/publish.ts'

/** An Azure that answers each request with the next of these, and what it was asked, with tokens. */
function azure(
  answers: readonly {
    readonly status?: number
    readonly headers?: Record<string, string>
    readonly body?: object
  }[],
) {
  const asked: string[] = []
  const connection: Connection = {
    credential: { getToken: async () => ({ token: 'secret', expiresOnTimestamp: Date.now() + 3_600_000 }) },
    send: {
      sendRequest: async (request: PipelineRequest): Promise<PipelineResponse> => {
        const { status = 200, headers = {}, body = {} } = answers[asked.length] ?? {}
        asked.push(`${new URL(request.url).host} ${request.headers.get('authorization')}`)
        return { request, status, headers: createHttpHeaders(headers), bodyAsText: JSON.stringify(body) }
      },
    },
    retries: 0,
    pause: async () => {},
  }
  return { connection, asked }
}

const OWN = 'management.azure.com Bearer secret'
const FOREIGN = [
  'https://evil.example/op',
  'http://management.azure.com/op',
  'https://management.azure.com.evil.example/',
  'op',
]
const refused = { message: expect.stringMatching(/a host that is not its own/) }

describe('a token for Azure', () => {
  it.each(FOREIGN)('is not sent to where a later answer is said to be (%s)', async (location) => {
    const { connection, asked } = azure([{ status: 202, headers: { location } }])
    await expect(openArm(connection).post('/subscriptions/x/y', '1', {})).rejects.toMatchObject(refused)
    expect(asked).toEqual([OWN])
  })

  it.each(FOREIGN)('is not sent to where the next page is said to be (%s)', async (nextLink) => {
    const { connection, asked } = azure([{ body: { value: [], nextLink } }])
    await expect(openArm(connection).list('/subscriptions/x/y', '1')).rejects.toMatchObject(refused)
    expect(asked).toEqual([OWN])
  })

  it.each(['evil.example', 'azurewebsites.net.evil.example', 'a@evil.example'])(
    'is not sent to where packages are said to be taken (%s)',
    async (name) => {
      const properties = { hostNameSslStates: [{ name, hostType: 'Repository' }] }
      const { connection, asked } = azure([{ body: { properties } }])
      const publish = openPublisher(openArm(connection), connection)
      await expect(publish('/subscriptions/x/sites/app', new Uint8Array(1))).rejects.toMatchObject(refused)
      expect(asked).toEqual([OWN])
    },
  )
})
