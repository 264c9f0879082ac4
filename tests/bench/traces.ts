// SPDX-License-Identifier: Apache-2.0
import { trace } from '@opentelemetry/api'
import { MetricReader } from '@opentelemetry/sdk-metrics'
import { AlwaysOnSampler, NoopSpanProcessor } from '@opentelemetry/sdk-trace'
import { SCOPE, traceCalls } from '#adapters/around/traces.ts'
import { openMemory } from '#adapters/memory/open.ts'
import type { ReadTable } from '#core/ports/table.ts'
import { createTelemetry } from '#functions/host/otel/create.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { figure, inTurn, perSecond, ratios, ROUNDS, type Bench } from './measure.ts'

/** Reads of one row in memory, the cheapest call that there is: of any other the part is smaller. */
const CALLS = 20_000

export const bench: Bench = {
  question: 'What part of the cheapest port call does tracing cost, off and on?',
  run: async () => {
    const platform = openMemory()
    await platform.table('blocks').insert('p', 'k', new Uint8Array(100))
    const bare = platform.table('blocks')
    // Before an SDK is registered: this is what a process without telemetry would have.
    const off = traceCalls(platform).table('blocks')
    const of = { service: 'bench', version: '0', instance: '0' }
    const sinks = {
      spans: new NoopSpanProcessor(),
      metrics: new Discarding(),
      sampler: new AlwaysOnSampler(),
    }
    const telemetry = createTelemetry(of, sinks, silentLog)
    const on = telemetry.around(platform).table('blocks')
    const tracer = trace.getTracer(SCOPE)
    const samples = await inTurn({
      bare: () => readAll(bare),
      off: () => readAll(off),
      measured: () => readAll(on),
      traced: () =>
        tracer.startActiveSpan('bench', async (span) => {
          await readAll(on)
          span.end()
        }),
    })
    await telemetry.close()
    const rate = (name: keyof typeof samples) => perSecond(CALLS, samples[name])
    return {
      sizes: `${CALLS} reads of one row of 100 bytes in memory, one after the other, ${ROUNDS} rounds; spans and measurements are made and thrown away`,
      figures: [
        figure('bare calls', 'calls/s', rate('bare')),
        figure('ratio: wrapped, no SDK', '', ratios(rate('off'), rate('bare'))),
        figure('ratio: measured, no span', '', ratios(rate('measured'), rate('bare'))),
        figure('ratio: measured and traced', '', ratios(rate('traced'), rate('bare'))),
      ],
      doesNotShow:
        'sending what was made; calls of a disk or a network, of which this is a much smaller part.',
    }
  },
}

async function readAll(table: ReadTable): Promise<void> {
  for (let i = 0; i < CALLS; i++) await table.get('p', 'k')
}

/** Takes what was measured and does nothing with it. */
class Discarding extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}
