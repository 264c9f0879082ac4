// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll } from '@jest/globals'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CREDENTIALS } from '../stack.ts'

/** Where the tests of a deployment deploy. */
export const REGION = 'eu-central-1'

/** Where the wire to AWS is cut: before a request arrives, or after it was carried out, before its answer. It stays cut. */
export interface Cut {
  /** Number of the request, from 0. */
  readonly at: number
  readonly isApplied: boolean
}

/** A wire to an emulator that can be cut at any request. */
export interface FailingWire {
  readonly url: string
  /** What every request since the last mending asked for: `DynamoDB_20120810.GetItem`, `CreateStack`, `PUT`. */
  readonly asked: readonly string[]
  /** Mends the wire, forgets what was asked, and cuts it there where that is given. */
  readonly mend: (cut?: Cut) => void
  readonly close: () => Promise<void>
}

async function failingWire(to: string): Promise<FailingWire> {
  const asked: string[] = []
  let [count, cut]: [number, Cut | null] = [0, null]
  const serve = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = await bodyOf(incoming)
    asked.push(kindOf(incoming, body))
    const at = count++
    const isCut = cut !== null && at >= cut.at
    if (isCut && !(at === cut?.at && cut.isApplied)) incoming.socket.destroy()
    else pass(to, { incoming, body, answer, isLost: isCut })
  }
  const server = createServer((incoming, answer) => void serve(incoming, answer))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    mend: (next) => {
      asked.length = 0
      ;[count, cut] = [0, next ?? null]
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function kindOf({ headers, method = '' }: IncomingMessage, body: Buffer): string {
  const target = headers['x-amz-target']
  if (typeof target === 'string') return target
  return new URLSearchParams(body.toString('latin1')).get('Action') ?? method
}

interface Passing {
  readonly incoming: IncomingMessage
  readonly body: Buffer
  readonly answer: ServerResponse
  readonly isLost: boolean
}

function pass(to: string, { incoming, body, answer, isLost }: Passing): void {
  const { method, headers, url = '/' } = incoming
  const passed = request(new URL(url, to), { method, headers }, (response) => {
    if (!isLost) {
      answer.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(answer)
      return
    }
    response.resume().on('end', () => incoming.socket.destroy())
  })
  passed.on('error', () => incoming.socket.destroy())
  passed.end(body)
}

const VARIABLES = {
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_REGION: REGION,
}

/** A wire to MiniStack for the tests of a file, during which the environment leads everything over it. */
export function wireForTests(): () => FailingWire {
  const held: { wire?: FailingWire; before?: Record<string, string | undefined> } = {}
  beforeAll(async () => {
    held.wire = await failingWire(process.env['AMPERE_AWS_MINISTACK'] ?? '')
    held.before = Object.fromEntries(
      ['AWS_ENDPOINT_URL', ...Object.keys(VARIABLES)].map((name) => [name, process.env[name]]),
    )
    Object.assign(process.env, VARIABLES, { AWS_ENDPOINT_URL: held.wire.url })
  })
  afterAll(async () => {
    for (const [name, value] of Object.entries(held.before ?? {}))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    await held.wire?.close()
  })
  return () => {
    if (!held.wire) throw new Error('there is no wire yet')
    return held.wire
  }
}
