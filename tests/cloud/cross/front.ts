// SPDX-License-Identifier: Apache-2.0
import { HttpRequest } from '@azure/functions'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Fetch } from '#core/ports/keys.ts'
import { requestOf, resultOf } from '#functions/host/cloud/azure.ts'
import { lambdaHandler } from '#functions/host/cloud/lambda.ts'
import { silentLog } from '#functions/host/telemetry.ts'

/** A host, as a cloud has one in front of functions: what it asks them, and gives back of what they answer. */
export type Host = (asked: Asked) => Promise<Answered>

interface Asked {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** An address at which a home is reached, before it is known what answers there. */
export interface Front {
  readonly origin: string
  serve(host: Host): void
  close(): Promise<void>
}

export async function openFront(): Promise<Front> {
  const at: { host?: Host } = {}
  const server = createServer((asked, answer) => void pass(at.host, asked, answer))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (host) => void (at.host = host),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function pass(host: Host | undefined, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of asked) parts.push(part as Buffer)
  const { method = 'GET', url = '/' } = asked
  const headers = Object.fromEntries(
    Object.entries(asked.headers).map(([name, value]) => [name, String(value)]),
  )
  const result = await host?.({ method, url, headers, body: Buffer.concat(parts) }).catch(() => null)
  if (!result) answer.writeHead(502).end()
  else answer.writeHead(result.status, { ...result.headers }).end(result.body)
}

/** An HTTP API of AWS with Lambda functions behind it (payload format 2.0). */
export function onLambdas(fetch: Fetch, origin: string): Host {
  const answer = async (request: Request) => fetch(request)
  const handler = lambdaHandler(
    async () => ({ answer }),
    () => origin,
    { log: silentLog, changedRows: () => null },
  )
  return async ({ method, url, headers, body }) => {
    const { pathname, search } = new URL(url, origin)
    const result = await handler({
      version: '2.0',
      rawPath: decodeURIComponent(pathname),
      rawQueryString: search.slice(1),
      headers,
      requestContext: { http: { method } },
      body: body.toString('base64'),
      isBase64Encoded: true,
    })
    if (!result) throw new Error('a request was taken for something else')
    const bytes = Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8')
    return { status: result.statusCode, headers: result.headers, body: bytes }
  }
}

/** The host of Azure Functions, as its worker hands requests over. */
export function onFunctionApps(fetch: Fetch, origin: string): Host {
  return async ({ method, url, headers, body }) => {
    const given = body.length > 0 ? { body: { bytes: body } } : {}
    const request = new HttpRequest({ method, url: new URL(url, origin).href, headers, ...given })
    const result = resultOf(await fetch(requestOf(request, origin)))
    const bytes = await new Response(result.body as ReadableStream | undefined).arrayBuffer()
    const named = result.headers as Record<string, string>
    return { status: result.status ?? 200, headers: named, body: new Uint8Array(bytes) }
  }
}
