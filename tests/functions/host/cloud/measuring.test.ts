// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { context, diag, metrics, trace } from '@opentelemetry/api'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { openAlone } from '#functions/host/cloud/alone.ts'
import { openAuditing } from '#functions/auditor/alone.ts'
import { openErasing } from '#functions/eraser/alone.ts'
import { parseConfig, type CloudConfig } from '#functions/host/cloud/config.ts'
import { askRole, openHosted, wakeRole, type HostedRole } from '#functions/host/cloud/hosted.ts'
import { FLUSH_MS, openMeasuring } from '#functions/host/cloud/measuring.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { openMonitoring } from '#functions/monitor/alone.ts'
import { answering as registrar } from '#functions/registrar/answering.ts'
import { openSequencing } from '#functions/sequencer/alone.ts'
import { openSweeping } from '#functions/sweeper/alone.ts'
import { openWorking } from '#functions/worker/alone.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { attributesOf, startCollector, type Collector } from '../../telemetry/collector.ts'
import { configOf } from '../apart.ts'

const answering: HostedRole = { answers: (alone) => openAlone(alone, registrar) }
const WOKEN: Readonly<Record<string, NonNullable<HostedRole['wakes']>>> = {
  sequence: openSequencing,
  'audit-log': openAuditing,
  erase: openErasing,
  sweep: openSweeping,
  work: openWorking,
  monitor: openMonitoring,
}

let world: TestDeployment
let plain: CloudConfig
beforeAll(async () => {
  jest.spyOn(process.stdout, 'write').mockImplementation(() => true)
  // The host's own clock is the time that it is.
  world = await testDeployment(['hospital-a'], { clock: { now: Date.now() } })
  plain = await configOf(world.platform, world.home)
})
const ending: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
  for (const api of [trace, metrics, context, diag]) api.disable()
})

async function collecting(): Promise<Collector> {
  const collector = await startCollector()
  ending.push(collector.close)
  return collector
}

const telling = (endpoint: string): CloudConfig => ({ ...plain, telemetry: { endpoint, traced: 1 } })
const open = (role: HostedRole, config: CloudConfig) =>
  openHosted(role, world.platform, config, import.meta.url)

describe('telemetry of a function', () => {
  it('is off, and loads and changes nothing, where the configuration names no collector', async () => {
    expect(plain.telemetry).toBeNull()
    expect(await openMeasuring(plain, silentLog)).toBeNull()
    expect(await open(answering, plain)).not.toHaveProperty('settle')
  })

  it('is with the collector when a request is answered, with its port calls and nothing of what was asked', async () => {
    await (
      await openSequencing({
        platform: world.platform,
        config: plain,
        hosting: hosting(),
        document: () => '',
      })
    )('schedule')
    const collector = await collecting()
    const role = await open(answering, telling(collector.url))
    const request = () =>
      new Request(`${ORIGIN}/v1/registry/blocks?from=0`, { headers: { 'x-note': 'Nowak' } })
    const answer = await askRole(async () => role, request, silentLog)
    expect(answer.status).toBe(200)
    const [span] = collector.spans().filter(({ kind }) => kind === 2)
    expect(span?.name).toBe('GET /v1/registry/blocks')
    expect(attributesOf(span ?? fail())).toMatchObject({ 'ampere.role': 'registrar' })
    const calls = collector.spans().filter(({ parentSpanId }) => parentSpanId === span?.spanId)
    expect(calls.map(({ name }) => name)).toContain('table.registry.range')
    expect(collector.metrics()).toContain('http.server.request.duration')
    const text = collector
      .bodies()
      .map((body) => body.text)
      .join('\n')
    for (const word of ['Nowak', world.registryId, ORIGIN, process.cwd()]) expect(text).not.toContain(word)
  })

  it.each(Object.keys(WOKEN))('is with the collector when what woke a role is done (%s)', async (name) => {
    const collector = await collecting()
    const wakes = WOKEN[name]
    if (!wakes) throw new Error('no such role')
    await wakeRole(await open({ wakes }, telling(collector.url)), 'schedule')
    const [act] = collector.spans().filter((span) => span.name === `ampere.${name}`)
    expect(act).toBeDefined()
    // Without logs to look at a monitor asks for nothing.
    if (name !== 'monitor') expect(collector.metrics()).toContain('ampere.port.call.duration')
  })

  it('is sent also when what was done failed', async () => {
    const collector = await collecting()
    const wakes: HostedRole['wakes'] =
      async ({ hosting: { telemetry } }) =>
      async () =>
        telemetry?.act('sweep', () => Promise.reject(new RangeError('no')))
    await expect(wakeRole(await open({ wakes }, telling(collector.url)), 'schedule')).rejects.toThrow('no')
    expect(collector.spans().map(({ name, status }) => [name, status.code])).toEqual([['ampere.sweep', 2]])
  })

  it('keeps a call for a bounded time where the collector says nothing, and the next ones not at all', async () => {
    const waiting: ServerResponse[] = []
    const server = createServer((_, response) => void waiting.push(response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ending.push(async () => {
      // Else its exporter would wait on, and try again.
      for (const response of waiting)
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      await new Promise((resolve) => server.close(resolve))
    })
    const role = await open({ wakes: openSweeping }, telling(`http://127.0.0.1:${portOf(server)}`))
    const took = async () => {
      const began = performance.now()
      await wakeRole(role, 'schedule')
      return performance.now() - began
    }
    const [first, second] = [await took(), await took()]
    expect(first).toBeGreaterThanOrEqual(FLUSH_MS - 1)
    expect(first).toBeLessThan(4 * FLUSH_MS)
    expect(second).toBeLessThan(FLUSH_MS / 2)
  })

  it('keeps few calls waiting where the collector is slow and in time: the others send with a later one', async () => {
    const SLOW_MS = 150
    let asked = 0
    const server = createServer((request, response) => {
      asked += 1
      request.resume()
      setTimeout(
        () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
        SLOW_MS,
      ).unref()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ending.push(() => new Promise((resolve) => server.close(() => resolve())))
    const role = await open({ wakes: openSweeping }, telling(`http://127.0.0.1:${portOf(server)}`))
    const before = performance.now()
    await wakeRole(role, 'schedule')
    expect(performance.now() - before).toBeGreaterThanOrEqual(SLOW_MS - 1)
    const sent = asked
    for (let call = 0; call < 4; call++) await wakeRole(role, 'schedule')
    expect([sent > 0, asked]).toEqual([true, sent])
  })

  it.each([
    'collector:4318',
    'ftp://collector/',
    'https://user:secret@collector',
    'https://collector/?key=secret',
    'https://collector/#x',
    '',
  ])('is not configured by %j', (endpoint) => {
    const { logKeys, witnessKeys, ...rest } = plain
    const text = (telemetry: object) =>
      JSON.stringify({
        ...rest,
        logKeys: logKeys.map(formatVerifierKey),
        witnessKeys: witnessKeys.map(formatVerifierKey),
        telemetry,
      })
    expect(() => parseConfig(text({ endpoint }))).toThrow('telemetry.endpoint')
    expect(() => parseConfig(text({ endpoint: 'https://collector', traced: 2 }))).toThrow('telemetry.traced')
    expect(parseConfig(text({ endpoint: 'http://localhost:4318' })).telemetry?.traced).toBe(1)
  })
})

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function hosting() {
  return { now: () => Date.now(), random: world.random, log: silentLog }
}

function fail(): never {
  throw new Error('there is no span')
}
