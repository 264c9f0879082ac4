// SPDX-License-Identifier: Apache-2.0
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace'
import type { TelemetrySinks } from './create.ts'
import { ACTS_RATIO, partSampler } from './sampler.ts'

/** How long one batch may take to be sent, in milliseconds: the end of a process waits for the last. */
const SEND_MS = 5_000
/** How often what was measured is sent, in milliseconds. */
export const METRICS_EVERY_MS = 15_000

/**
 * Sends to a collector by OTLP over HTTP, in JSON. Headers, time-outs and certificates are those that the standard variables
 * say (`OTEL_EXPORTER_OTLP_HEADERS` and others).
 * @param endpoint its base URL, to which `/v1/traces` and `/v1/metrics` are added; null for that of `OTEL_EXPORTER_OTLP_ENDPOINT`
 * @param requests the part of requests that is traced, from 0 to 1
 * @param acts the part of what nobody asked for
 */
export function otlpSinks(endpoint: string | null, requests = 1, acts: number = ACTS_RATIO): TelemetrySinks {
  const base = endpoint?.replace(/\/+$/, '')
  const to = (signal: string) => (base === undefined ? {} : { url: `${base}/v1/${signal}` })
  return {
    sampler: partSampler(requests, acts),
    spans: new BatchSpanProcessor({
      exporter: new OTLPTraceExporter(to('traces')),
      exportTimeoutMillis: SEND_MS,
    }),
    metrics: new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter(to('metrics')),
      exportIntervalMillis: METRICS_EVERY_MS,
      exportTimeoutMillis: SEND_MS,
    }),
  }
}
