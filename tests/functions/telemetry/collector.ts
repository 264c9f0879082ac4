// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An attribute, a span and a measured metric as OTLP writes them in JSON. */
interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number }
}
export interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly attributes: readonly Attribute[]
  readonly status: { readonly code: number; readonly message?: string }
}

/** A small collector: it keeps what is sent to it, word by word. */
export interface Collector {
  readonly url: string
  /** Every body with the path that it was sent to. */
  readonly bodies: () => readonly { readonly path: string; readonly text: string }[]
  readonly spans: () => readonly SentSpan[]
  /** Names of all metrics that have data. */
  readonly metrics: () => readonly string[]
  readonly close: () => Promise<void>
}

/** Listens on 127.0.0.1, on a port that is free, and answers each export with `status`. */
export async function startCollector(status = 200): Promise<Collector> {
  const bodies: { path: string; text: string }[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      bodies.push({ path: request.url ?? '', text: Buffer.concat(parts).toString() })
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const sent = <T>(path: string) =>
    bodies.filter((body) => body.path === path).map(({ text }) => JSON.parse(text) as T)
  return {
    url: `http://127.0.0.1:${port}`,
    bodies: () => bodies,
    spans: () =>
      sent<{ resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[] }>('/v1/traces').flatMap(
        ({ resourceSpans }) =>
          resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
    metrics: () =>
      sent<{ resourceMetrics: { scopeMetrics: { metrics: { name: string }[] }[] }[] }>('/v1/metrics').flatMap(
        ({ resourceMetrics }) =>
          resourceMetrics.flatMap(({ scopeMetrics }) =>
            scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name)),
          ),
      ),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** Attributes of a span as an object. */
export function attributesOf({ attributes }: SentSpan): Record<string, string | number | undefined> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]))
}
