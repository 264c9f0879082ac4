// SPDX-License-Identifier: Apache-2.0
import { context, diag, DiagLogLevel, metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, type IMetricReader } from '@opentelemetry/sdk-metrics'
import { TracerProvider, type Sampler, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { SCOPE, traceCalls } from '#adapters/around/traces.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Log, Telemetry } from '../telemetry.ts'
import { amountInstruments } from './amounts.ts'
import { asyncContext } from './context.ts'
import { requestSpans } from './requests.ts'

/** Where telemetry goes, which is all that hosts differ in. */
export interface TelemetrySinks {
  readonly spans: SpanProcessor
  readonly metrics: IMetricReader
  readonly sampler: Sampler
}

/** What says whose telemetry it is: nothing of the computer, its user or its command line. */
export interface TelemetryOf {
  /** As `ampere-home`. */
  readonly service: string
  readonly version: string
  /** Tells processes of one service apart; of no meaning. */
  readonly instance: string
}

/** Telemetry that is switched on. */
export interface RunningTelemetry {
  readonly telemetry: Telemetry
  /** The same platform, its calls traced and measured. */
  readonly around: (platform: Platform) => Platform
  /** Sends what waits: for hosts that stop a process between two requests. Never rejects. */
  readonly flush: () => Promise<void>
  /** Sends what waits, and ends. Never rejects. */
  readonly close: () => Promise<void>
}

const ignored = () => {}

/**
 * Registers OpenTelemetry's SDK for this process, once, and gives hosts what they measure with. What cannot be sent is
 * dropped, and said in the log as `telemetry-failed`: nothing waits for it, and nothing fails by it.
 */
export function createTelemetry(
  of: TelemetryOf,
  { spans, metrics: reader, sampler }: TelemetrySinks,
  log: Log,
): RunningTelemetry {
  const resource = resourceFromAttributes({
    'service.name': of.service,
    'service.version': of.version,
    'service.instance.id': of.instance,
  })
  const tracers = new TracerProvider({ resource, sampler, spanProcessors: [spans] })
  const meters = new MeterProvider({ resource, readers: [reader] })
  // Their words could carry what a collector answered.
  const failed = () => log({ event: 'telemetry-failed' })
  const logger = { error: failed, warn: failed, info: ignored, debug: ignored, verbose: ignored }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  context.setGlobalContextManager(asyncContext())
  trace.setGlobalTracerProvider(tracers)
  metrics.setGlobalMeterProvider(meters)
  const both = (act: (one: TracerProvider | MeterProvider) => Promise<void>) => async () => {
    const done = await Promise.allSettled([tracers, meters].map(act))
    if (done.some(({ status }) => status === 'rejected')) failed()
  }
  const close = both((one) => one.shutdown())
  return {
    telemetry: {
      request: requestSpans(),
      act: actSpans(),
      amount: amountInstruments(() => performance.now()),
    },
    around: traceCalls,
    flush: both((one) => one.forceFlush()),
    close: async () => {
      await close()
      for (const api of [trace, metrics, context, diag]) api.disable()
    },
  }
}

/** One span for each act, so that its calls belong together. */
function actSpans(): Telemetry['act'] {
  const tracer = trace.getTracer(SCOPE)
  return (name, act) =>
    tracer.startActiveSpan(`ampere.${name}`, async (span) => {
      try {
        return await act()
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    })
}
