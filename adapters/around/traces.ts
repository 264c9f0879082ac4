// SPDX-License-Identifier: Apache-2.0
import {
  context,
  createNoopMeter,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Histogram,
} from '@opentelemetry/api'
import { isAmpereError } from '#core/errors.ts'
import type { Platform } from '#core/ports/needs.ts'
import { wrapPlatform, type CallName } from './calls.ts'

/** Under this name (the instrumentation scope) spans and measurements are made. */
export const SCOPE = 'ampere'
/** Attribute with the name of a port call, as `table.blocks.insert`. */
export const CALL_ATTRIBUTE = 'ampere.port.call'
/** Attribute with `ok`, or the code of the AmpereError that the call ended with; `UNEXPECTED` for any other error. */
export const OUTCOME_ATTRIBUTE = 'ampere.outcome'
/** Histogram of port calls, in seconds, by the two attributes above. */
export const CALL_DURATION = 'ampere.port.call.duration'

/** Upper bounds of its buckets in seconds, from a row in memory to a store that times out. */
const BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const satisfies readonly number[]

/**
 * A platform whose every call is measured, and is a span wherever it belongs to one that is recorded: a call outside of any
 * would be a trace of its own. What is said of a call is its name and its outcome: never a partition, a key, a name, a size
 * or a message.
 *
 * It uses nothing but OpenTelemetry's API. Who wants spans and measurements registers an SDK before this is called; while
 * none is, each call costs one look whether there is a span, and nothing else: it is the platform's own promise.
 */
export function traceCalls(platform: Platform): Platform {
  const tracer = trace.getTracer(SCOPE)
  const durations = durationHistogram()
  return wrapPlatform(platform, (name, act) => {
    const active = context.active()
    const isRecording = trace.getSpan(active)?.isRecording() === true
    if (!isRecording) return durations === null ? act() : measured(durations, name, act)
    const attributes = { [CALL_ATTRIBUTE]: name }
    const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, active)
    const inSpan = () => context.with(trace.setSpan(active, span), act)
    return measured(durations, name, inSpan, (outcome) => {
      span.setAttribute(OUTCOME_ATTRIBUTE, outcome)
      if (outcome !== OK) {
        span.setAttribute('error.type', outcome)
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
    })
  })
}

const OK = 'ok'

/** Null where nobody measures: then nothing need be timed. */
function durationHistogram(): Histogram | null {
  const histogram = metrics.getMeter(SCOPE).createHistogram(CALL_DURATION, {
    unit: 's',
    description: 'Duration of calls of tables, object stores and keys.',
    advice: { explicitBucketBoundaries: [...BUCKETS] },
  })
  // The API gives one and the same instrument to all who ask without an SDK.
  return histogram === createNoopMeter().createHistogram(CALL_DURATION) ? null : histogram
}

async function measured<T>(
  durations: Histogram | null,
  name: CallName,
  act: () => Promise<T>,
  ended: (outcome: string) => void = () => {},
): Promise<T> {
  const startedMs = performance.now()
  const end = (outcome: string) => {
    const attributes: Attributes = { [CALL_ATTRIBUTE]: name, [OUTCOME_ATTRIBUTE]: outcome }
    durations?.record((performance.now() - startedMs) / 1000, attributes)
    ended(outcome)
  }
  try {
    const result = await act()
    end(OK)
    return result
  } catch (error) {
    end(isAmpereError(error) ? error.code : 'UNEXPECTED')
    throw error
  }
}
