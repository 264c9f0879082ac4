// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { CALL_ATTRIBUTE } from '#adapters/around/traces.ts'
import { toHex, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { appendBlock } from '#functions/writer/operations.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { homeChores, homeLogAudit } from '#functions/all.ts'
import { createTelemetry, type RunningTelemetry } from '#functions/host/otel/create.ts'
import { otlpSinks } from '#functions/host/otel/otlp.ts'
import type { LogFields } from '#functions/host/telemetry.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { attributesOf, startCollector, type Collector, type SentSpan } from './collector.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
/** A record in plain words, none of which may be in what is exported. */
const WORDS = ['Penicillin', 'anaphylaxis', 'Nowak', '1987-03-14', 'hospital-a', 'mental-health']

const running: { telemetry: RunningTelemetry | null; collector: Collector | null } = {
  telemetry: null,
  collector: null,
}

afterEach(async () => {
  await running.telemetry?.close()
  await running.collector?.close()
})

interface Scene {
  readonly world: TestDeployment
  readonly collector: Collector
  readonly telemetry: RunningTelemetry
  readonly counts: () => Readonly<Record<string, number>>
  readonly reset: () => void
  readonly said: readonly LogFields[]
}

/** A home that exports to a collector here; both end with the test. */
async function scene(status = 200): Promise<Scene> {
  const said: LogFields[] = []
  const collector = await startCollector(status)
  const of = { service: 'ampere-home', version: '0.1.0', instance: 'i' }
  const telemetry = createTelemetry(of, otlpSinks(`${collector.url}/`), (line) => said.push(line))
  Object.assign(running, { telemetry, collector })
  const counted: { calls?: ReturnType<typeof countCalls> } = {}
  const world = await testDeployment(['hospital-a'], {
    platform: (base) => (counted.calls = countCalls(telemetry.around(base))).platform,
    telemetry: telemetry.telemetry,
  })
  return {
    world,
    collector,
    telemetry,
    counts: () => counted.calls?.counts() ?? {},
    reset: () => counted.calls?.reset(),
    said,
  }
}

function entry(text: string) {
  return { header: utf8(JSON.stringify({ note: text })), content: utf8(text), compartment: 'mental-health' }
}

function childrenOf(parent: SentSpan, spans: readonly SentSpan[]): readonly SentSpan[] {
  return spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId)
}

describe('telemetry that goes to a collector', () => {
  it('has one append as a span with each of its port calls inside it', async () => {
    const { world, collector, telemetry, counts, reset } = await scene()
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['mental-health'])
    await telemetry.flush()
    const before = collector.spans().length
    const counted: Record<string, number>[] = []
    const calling = world.connect('hospital-a', {
      fetch: async (request) => {
        if (request.method !== 'POST') return world.fetch(request)
        reset()
        const headers = new Headers(request.headers)
        headers.set('traceparent', `00-${TRACE}-${PARENT}-00`)
        headers.set('tracestate', 'who=Nowak')
        const answer = await world.fetch(new Request(request, { headers }))
        counted.push({ ...counts() })
        return answer
      },
    })
    await calling.append(record, [entry('Penicillin: anaphylaxis')])
    await telemetry.flush()
    const spans = collector.spans().slice(before)
    const append = spans.find(({ name }) => name === `POST ${appendBlock.pattern}`)
    expect(append).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, kind: 2, status: { code: 0 } })
    expect(attributesOf(append as SentSpan)).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 201,
      'http.route': appendBlock.pattern,
      'ampere.role': 'writer',
      'ampere.request.id': expect.stringMatching(/^r_/),
    })
    const calls: Record<string, number> = {}
    for (const child of childrenOf(append as SentSpan, spans)) {
      expect(Object.keys(attributesOf(child)).toSorted()).toEqual(['ampere.outcome', CALL_ATTRIBUTE])
      calls[child.name] = (calls[child.name] ?? 0) + 1
    }
    expect(counted).toHaveLength(1)
    expect(calls).toEqual(counted[0])
    expect(calls).toMatchObject({ 'table.blocks.insert': 1, 'table.dirty.insert': 1, 'key.head.sign': 1 })
  })

  it('holds no word of a record, no name, id, key or URL of anything, in any byte that is sent', async () => {
    const { world, collector, telemetry } = await scene()
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['mental-health'])
    await a.append(record, [entry('Nowak 1987-03-14, Penicillin: anaphylaxis')])
    await world.tendLog()
    await a.read(record)
    const { notes } = await a.replica(record)
    // What nobody has, what is malformed, and what no route answers are told of as well.
    for (const path of [`/v1/chains/${record}/blocks?from=Penicillin`, '/Nowak', `/v1/receipts/${record}`])
      await world.fetch(
        new Request(new URL(path, ORIGIN), { headers: { tracestate: 'Nowak=1', 'x-note': 'Nowak' } }),
      )
    await world.fetch(new Request(ORIGIN, { method: 'NOWAK' }))
    const hosting = {
      now: () => world.clock.now,
      random: world.random,
      log: () => {},
      telemetry: telemetry.telemetry,
    }
    await (
      await homeChores(world.platform, world.home, hosting)
    )()
    await (
      await homeLogAudit(world.platform, world.home, world.logTrust, hosting)
    )()
    await telemetry.close()
    const text = collector
      .bodies()
      .map((body) => body.text)
      .join('\n')
    expect(collector.spans().length).toBeGreaterThan(20)
    const { instance } = world.institution('hospital-a')
    const head = await world.platform.signer('head')
    const forbidden = [
      ...WORDS,
      record,
      world.registryId,
      instance.kid,
      head.kid,
      ORIGIN,
      new URL(ORIGIN).host,
      ...notes.flatMap(({ id, hash }) => [id, typeof hash === 'string' ? hash : toHex(hash)]),
      process.cwd(),
      'NOWAK',
    ]
    const words = forbidden.filter((word) => text.toLowerCase().includes(word.toLowerCase()))
    expect(words).toEqual([])
    // Nothing that is as long as an id or a digest is there but the ids of spans and requests.
    const long = (text.match(/[A-Za-z0-9_-]{20,}/g) ?? []).filter(
      (word) => !/^(\d+|[0-9a-f]{32}|[A-Z]?[a-z]+([A-Z][a-z]+)*)$/.test(word),
    )
    expect([...new Set(long)]).toEqual([])
  })

  it('has every metric that alarms are made of', async () => {
    const { world, collector, telemetry } = await scene()
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['mental-health'])
    await a.append(record, [entry('one')])
    await world.tendLog()
    const hosting = {
      now: () => world.clock.now,
      random: world.random,
      log: () => {},
      telemetry: telemetry.telemetry,
    }
    await (
      await homeChores(world.platform, world.home, hosting)
    )()
    await (
      await homeLogAudit(world.platform, world.home, world.logTrust, hosting)
    )()
    telemetry.telemetry.amount('receipt.wait', 250)
    telemetry.telemetry.amount('receipt.none', 1)
    await telemetry.flush()
    expect([...new Set(collector.metrics())].toSorted()).toEqual([
      'ampere.audit.age',
      'ampere.audit.findings',
      'ampere.erasures.waiting',
      'ampere.log.blocks',
      'ampere.log.lag',
      'ampere.log.skipped',
      'ampere.port.call.duration',
      'ampere.receipt.duration',
      'ampere.receipt.none',
      'http.server.request.duration',
    ])
  })

  it('is dropped and said, and keeps nothing from being answered, where the collector refuses', async () => {
    const { world, telemetry, said } = await scene(400)
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['mental-health'])
    await telemetry.flush()
    expect(record).toBeDefined()
    expect(said).toContainEqual({ event: 'telemetry-failed' })
    expect(said.every((line) => line.event !== 'telemetry-failed' || Object.keys(line).length === 1)).toBe(
      true,
    )
  })
})
