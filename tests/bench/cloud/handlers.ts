// SPDX-License-Identifier: Apache-2.0
import { HttpRequest } from '@azure/functions'
import { APPEND_TYPE, encodeAppend } from '#core/api/append.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestOf, resultOf } from '#functions/host/cloud/azure.ts'
import { lambdaHandler, type LambdaEvent } from '#functions/host/cloud/lambda.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { figure, inTurn, type Bench } from '../measure.ts'

/** Requests of a round, one after the other. */
const EACH = 200
const ROUNDS = 15
const GOAL_MS = 1

export const bench: Bench = {
  question: 'What does a warm handler of each cloud add to the app that it calls?',
  run: async () => {
    const world = await testDeployment(['hospital-a'])
    const connection = world.connect('hospital-a')
    const home = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
    const { record } = await createRecord(connection, home, ['general'])
    const [newest = ''] = (await connection.api.blocks(record, 0)).items.slice(-1)
    const body = encodeAppend({ block: newest, row: null, packages: [], labelKey: null, object: null })
    const app = async (request: Request) => world.fetch(request)
    const lambda = lambdaHandler(
      async () => ({ answer: app }),
      () => ORIGIN,
      { log: silentLog, changedRows: () => null },
    )
    const azure = async (request: HttpRequest) => resultOf(await app(requestOf(request, ORIGIN)))
    const acts = {
      app: async () => (await app(post(body))).text(),
      lambda: async () => lambda(event(body)),
      azure: async () => {
        const { body: answered } = await azure(azureRequest(body))
        return new Response(answered as ReadableStream).text()
      },
    }
    const samples = await inTurn(
      {
        app: times(acts.app),
        lambda: times(acts.lambda),
        azure: times(acts.azure),
      },
      ROUNDS,
    )
    const beyond = (of: 'lambda' | 'azure', by: 'wallMs' | 'cpuMs') =>
      samples[of].map((sample, round) => (sample[by] - (samples.app[round]?.[by] ?? Number.NaN)) / EACH)
    return {
      sizes: `an append of ${body.length} bytes that is there already, answered by the app of a home in memory; ${EACH} in a round, ${ROUNDS} rounds in turn`,
      figures: [
        figure(
          'the app called directly',
          'ms',
          samples.app.map(({ wallMs }) => wallMs / EACH),
        ),
        figure('Lambda handler: beyond that', 'ms', beyond('lambda', 'wallMs'), { atMost: GOAL_MS }),
        figure('Lambda handler: CPU beyond that', 'ms', beyond('lambda', 'cpuMs')),
        figure('Azure handler: beyond that', 'ms', beyond('azure', 'wallMs'), { atMost: GOAL_MS }),
        figure('Azure handler: CPU beyond that', 'ms', beyond('azure', 'cpuMs')),
      ],
      doesNotShow:
        "what the clouds' own runtimes and proxies add before the handler is called; large bodies, which Lambda has in base64.",
    }
  },
}

function times(act: () => Promise<unknown>): () => Promise<void> {
  return async () => {
    for (let i = 0; i < EACH; i++) await act()
  }
}

function post(body: Uint8Array<ArrayBuffer>): Request {
  return new Request(`${ORIGIN}/v1/blocks`, {
    method: 'POST',
    headers: { 'content-type': APPEND_TYPE },
    body,
  })
}

function event(body: Uint8Array): LambdaEvent {
  return {
    version: '2.0',
    rawPath: '/v1/blocks',
    rawQueryString: '',
    headers: { 'content-type': APPEND_TYPE },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
    requestContext: { http: { method: 'POST' } },
  }
}

function azureRequest(body: Uint8Array): HttpRequest {
  return new HttpRequest({
    method: 'POST',
    url: 'https://app.test/v1/blocks',
    headers: { 'content-type': APPEND_TYPE },
    body: { bytes: body },
  })
}
