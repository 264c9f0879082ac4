// SPDX-License-Identifier: Apache-2.0
import {
  context,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
} from '@opentelemetry/api'
import { SCOPE } from '#adapters/around/traces.ts'
import type { RequestEnd, RequestHead, Telemetry } from '../telemetry.ts'
import { remoteParent } from './trace-parent.ts'

/** As the semantic conventions for HTTP advise, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** RFC 9110 and RFC 5789; anything else is a word that a caller chose. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']
/** What no route answered has none. */
const NO_ROUTE = ['*', '/*']

/**
 * One span and one measurement for each request, named by the stable semantic conventions for HTTP
 * (http.server.request.duration, http.request.method, http.route, http.response.status_code, error.type). The path, the query,
 * headers, addresses and sizes are not among them.
 */
export function requestSpans(): Telemetry['request'] {
  const tracer = trace.getTracer(SCOPE)
  const durations = metrics.getMeter(SCOPE).createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Duration of HTTP server requests.',
    advice: { explicitBucketBoundaries: BUCKETS },
  })
  return async (head, answer) => {
    const startedMs = performance.now()
    const method = METHODS.includes(head.method) ? head.method : '_OTHER'
    const parent = parentOf(head)
    const span = tracer.startSpan(nameOf(method), { kind: SpanKind.SERVER }, parent)
    try {
      const end = await context.with(trace.setSpan(parent, span), answer)
      const attributes = attributesOf(method, end)
      durations.record((performance.now() - startedMs) / 1000, attributes)
      span.updateName(nameOf(method, end.route))
      span.setAttributes({ ...attributes, 'ampere.request.id': end.requestId })
      if (end.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  }
}

function parentOf({ traceparent }: RequestHead): Context {
  const remote = remoteParent(traceparent)
  return remote ? trace.setSpanContext(context.active(), remote) : context.active()
}

function nameOf(method: string, route = '*'): string {
  const verb = method === '_OTHER' ? 'HTTP' : method
  return NO_ROUTE.includes(route) ? verb : `${verb} ${route}`
}

function attributesOf(method: string, { role, route, status, code }: RequestEnd): Attributes {
  return {
    'http.request.method': method,
    'http.response.status_code': status,
    'ampere.role': role,
    ...(NO_ROUTE.includes(route) ? {} : { 'http.route': route }),
    ...(code === null ? {} : { 'error.type': code }),
  }
}
