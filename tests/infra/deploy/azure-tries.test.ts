// SPDX-License-Identifier: Apache-2.0
import { createHttpHeaders, type PipelineRequest, type PipelineResponse } from '@azure/core-rest-pipeline'
import { describe, expect, it } from '@jest/globals'
import { openArm, type Connection } from '#infra/deploy/azure/arm.ts'

describe('a request to Azure', () => {
  it('has its time for each try, so that a service which is too busy is not said to be out of reach', async () => {
    const signals: unknown[] = []
    const connection: Connection = {
      credential: { getToken: async () => ({ token: 'secret', expiresOnTimestamp: Date.now() + 3_600_000 }) },
      send: {
        sendRequest: async (request: PipelineRequest): Promise<PipelineResponse> => {
          signals.push(request.abortSignal)
          const status = signals.length < 3 ? 429 : 200
          const headers = createHttpHeaders(status === 429 ? { 'retry-after-ms': '1' } : {})
          return { request, status, headers, bodyAsText: '{}' }
        },
      },
      pause: async () => {},
    }
    await openArm(connection).get('/subscriptions/x/y', '1')
    expect([signals.length, new Set(signals).size]).toEqual([3, 3])
    for (const signal of signals) expect(signal).toMatchObject({ aborted: false })
  })
})
