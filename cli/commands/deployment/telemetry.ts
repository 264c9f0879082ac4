// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { RunningTelemetry } from '#functions/host/otel/create.ts'
import type { Log } from '#functions/host/telemetry.ts'
import { usage } from '../../program/refuse.ts'
import type { Screen } from '../../terminal/screen.ts'
import { VERSION } from '../../version.ts'

/** Standard variables of which one that is set switches telemetry on (OpenTelemetry, "OTLP Exporter Configuration"). */
const ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
] as const

/**
 * Telemetry by OTLP where it is asked for, by `--otlp` or a standard variable; else null, and nothing of OpenTelemetry is
 * loaded. OTEL_SDK_DISABLED switches off what the variables switch on.
 * @throws AmpereError REQUEST_MALFORMED for a part of requests that is none
 */
export async function openTelemetry(
  { terminal: { env }, say }: Screen,
  otlp: string | undefined,
  log: Log,
): Promise<RunningTelemetry | null> {
  const byVariable = env['OTEL_SDK_DISABLED'] !== 'true' && ENDPOINTS.some((name) => (env[name] ?? '') !== '')
  if (otlp === undefined && !byVariable) return null
  const requests = partOf(env['OTEL_TRACES_SAMPLER'], env['OTEL_TRACES_SAMPLER_ARG'])
  const [{ createTelemetry }, { otlpSinks }] = await Promise.all([
    import('#functions/host/otel/create.ts'),
    import('#functions/host/otel/otlp.ts'),
  ])
  say(
    `Telemetry goes to ${otlp === undefined ? 'where OTEL_EXPORTER_OTLP_ENDPOINT says' : new URL(otlp).origin}`,
  )
  const of = {
    service: env['OTEL_SERVICE_NAME'] ?? 'ampere-home',
    version: VERSION,
    instance: randomUUID(),
  }
  return createTelemetry(of, otlpSinks(otlp ?? null, requests), log)
}

/** The part of requests that is traced, by the standard variables of samplers. */
function partOf(sampler: string | undefined, argument: string | undefined): number {
  if (sampler === undefined || sampler === '') return 1
  const name = sampler.replace(/^parentbased_/, '')
  if (name === 'always_on') return 1
  if (name === 'always_off') return 0
  const part = Number(argument ?? '1')
  if (name === 'traceidratio' && part >= 0 && part <= 1) return part
  throw usage('OTEL_TRACES_SAMPLER is not always_on, always_off or traceidratio with a part from 0 to 1')
}
