// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from '@jest/globals'
import { context, metrics, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { countCalls } from '#adapters/around/counts.ts'
import { withFaults } from '#adapters/around/faults.ts'
import {
  CALL_ATTRIBUTE,
  CALL_DURATION,
  OUTCOME_ATTRIBUTE,
  SCOPE,
  traceCalls,
} from '#adapters/around/traces.ts'
import { openMemory } from '#adapters/memory/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import { asyncContext } from '#functions/host/otel/context.ts'

afterEach(() => {
  for (const api of [trace, metrics, context]) api.disable()
})

/** An SDK that keeps everything in memory. */
function register() {
  const spans = new InMemorySpanExporter()
  const kept = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: kept, exportIntervalMillis: 3_600_000 })
  const meters = new MeterProvider({ readers: [reader] })
  context.setGlobalContextManager(asyncContext())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
  )
  metrics.setGlobalMeterProvider(meters)
  return {
    spans: () => spans.getFinishedSpans(),
    durations: async () => {
      await meters.forceFlush()
      const all = kept
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      const { dataPoints = [] } = all.findLast(({ descriptor }) => descriptor.name === CALL_DURATION) ?? {}
      return dataPoints.map(({ attributes, value }) => ({
        ...attributes,
        count: (value as { count: number }).count,
      }))
    },
    close: () => meters.shutdown(),
  }
}

function within<T>(act: () => Promise<T>): Promise<T> {
  return trace.getTracer(SCOPE).startActiveSpan('outer', async (span) => {
    const result = await act()
    span.end()
    return result
  })
}

const SECRET = 'partition-of-a-patient'

describe('a platform whose calls are traced', () => {
  it('without an SDK gives the very promise of the platform, and makes no span and no measurement', async () => {
    const given: Promise<unknown>[] = []
    const base: Platform = openMemory()
    const table = base.table('blocks')
    const keeping: Platform = {
      ...base,
      table: () => ({
        ...table,
        get: (partition, key) => {
          const promise = table.get(partition, key)
          given.push(promise)
          return promise
        },
      }),
    }
    const answered = traceCalls(keeping).table('blocks').get('p', 'k')
    expect(answered).toBe(given[0])
    expect(await answered).toBeNull()
  })

  it('makes exactly the calls that it is asked for', async () => {
    const { platform, counts } = countCalls(openMemory())
    const traced = traceCalls(platform)
    await traced.table('blocks').insert('p', 'k', new Uint8Array(1))
    await (await traced.signer('head')).sign(new Uint8Array(1))
    expect(counts()).toEqual({ 'table.blocks.insert': 1, 'key.head.sign': 1 })
  })

  it('gives each call inside a span one of its own, and each call anywhere a duration', async () => {
    const sdk = register()
    const table = traceCalls(openMemory()).table('blocks')
    await table.get(SECRET, 'k')
    expect(sdk.spans()).toEqual([])
    await within(async () => {
      await table.insert(SECRET, 'k', new Uint8Array(1))
      await table.get(SECRET, 'k')
    })
    const [insert, get, outer] = sdk.spans()
    expect([insert?.name, get?.name, outer?.name]).toEqual([
      'table.blocks.insert',
      'table.blocks.get',
      'outer',
    ])
    expect(insert?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId)
    expect(insert?.attributes).toEqual({ [CALL_ATTRIBUTE]: 'table.blocks.insert', [OUTCOME_ATTRIBUTE]: 'ok' })
    expect(await sdk.durations()).toEqual([
      { [CALL_ATTRIBUTE]: 'table.blocks.get', [OUTCOME_ATTRIBUTE]: 'ok', count: 2 },
      { [CALL_ATTRIBUTE]: 'table.blocks.insert', [OUTCOME_ATTRIBUTE]: 'ok', count: 1 },
    ])
    await sdk.close()
  })

  it('says of a call that fails its code and no message, and lets the error through', async () => {
    const sdk = register()
    const { platform, plan } = withFaults(openMemory())
    plan(() => 'not-applied')
    const traced = traceCalls(platform)
    const failed = within(() =>
      traced
        .table('blocks')
        .get(SECRET, 'k')
        .catch((error: unknown) => error),
    )
    expect(await failed).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const [span] = sdk.spans()
    expect(span).toMatchObject({ events: [], status: { code: 2 } })
    expect(span?.status.message).toBeUndefined()
    expect(span?.attributes).toEqual({
      [CALL_ATTRIBUTE]: 'table.blocks.get',
      [OUTCOME_ATTRIBUTE]: 'STORE_UNAVAILABLE',
      'error.type': 'STORE_UNAVAILABLE',
    })
    const unknown = traceCalls({ ...platform, table: () => failingTable() })
    await expect(within(() => unknown.table('blocks').get(SECRET, 'k'))).rejects.toThrow(SECRET)
    expect(sdk.spans().at(-1)?.attributes).toMatchObject({ [OUTCOME_ATTRIBUTE]: 'UNEXPECTED' })
    await sdk.close()
  })
})

function failingTable(): ReturnType<Platform['table']> {
  const fail = () => Promise.reject(new Error(SECRET))
  return { get: fail, range: fail, insert: fail, swap: fail }
}
