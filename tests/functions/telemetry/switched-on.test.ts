// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import { openTelemetry } from '#cli/commands/deployment/telemetry.ts'
import { parseCollector } from '#cli/program/arguments.ts'
import type { RunningTelemetry } from '#functions/host/otel/create.ts'
import type { Screen } from '#cli/terminal/screen.ts'
import { startCollector } from './collector.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const OTEL = 'functions/host/otel/'

const opened: { current: RunningTelemetry | null } = { current: null }
afterEach(() => opened.current?.close())

async function open(env: Readonly<Record<string, string>>, otlp?: string) {
  const said: string[] = []
  const screen = { terminal: { env }, say: (line: string) => said.push(line) } as unknown as Screen
  opened.current = await openTelemetry(screen, otlp, () => {})
  return { on: opened.current !== null, said }
}

describe('telemetry', () => {
  it('is off unless somebody says where it goes', async () => {
    expect(await open({})).toEqual({ on: false, said: [] })
    expect(await open({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toEqual({ on: false, said: [] })
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' }
    expect(await open(off)).toEqual({ on: false, said: [] })
  })

  it('goes to --otlp, says so, and sends what waits when it ends', async () => {
    const collector = await startCollector()
    const { on, said } = await open({}, parseCollector(collector.url))
    expect([on, said]).toEqual([true, [`Telemetry goes to ${collector.url}`]])
    await opened.current?.telemetry.request({ method: 'GET', traceparent: null }, async () => ({
      role: 'reader',
      route: '/v1/chains/:chain/head',
      status: 200,
      requestId: 'r_1',
      code: null,
    }))
    await opened.current?.close()
    expect(collector.spans().map(({ name }) => name)).toEqual(['GET /v1/chains/:chain/head'])
    expect(collector.metrics()).toContain('http.server.request.duration')
    await collector.close()
  })

  it('refuses a sampler that it does not know, and a URL that would show a password', async () => {
    await expect(open({ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, 'http://127.0.0.1:9')).rejects.toThrow(
      'OTEL_TRACES_SAMPLER is not',
    )
    await expect(
      open({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, 'http://127.0.0.1:9'),
    ).rejects.toThrow('OTEL_TRACES_SAMPLER is not')
    for (const wrong of ['collector', 'ftp://a', 'http://u:p@a', 'http://a?key=1', 'http://a#b'])
      expect(() => parseCollector(wrong)).toThrow('--otlp: an http or https URL')
  })

  it('is loaded by nobody who does not switch it on', () => {
    const sources = ['core', 'adapters', 'functions', 'cli', 'desktop'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
        .map((entry) => join(entry.parentPath, entry.name)),
    )
    const loading = sources.flatMap((file) => {
      const path = file.slice(ROOT.length)
      if (path.startsWith(OTEL) || path === 'adapters/around/traces.ts') return []
      const text = readFileSync(file, 'utf8')
      const lines = text.match(
        /^import (?!type )[^\n]*from '[^']*(host\/otel|around\/traces|@opentelemetry)[^']*'/gm,
      )
      return (lines ?? []).map((line) => `${path}: ${line}`)
    })
    expect(sources.length).toBeGreaterThan(300)
    expect(loading).toEqual([])
  })
})
