// SPDX-License-Identifier: Apache-2.0
import type { Platform } from '#core/ports/needs.ts'
import type { Log, Telemetry } from '../telemetry.ts'
import { VERSION } from '../version.ts'
import type { CloudConfig } from './config.ts'

/** How long one call waits at its end for what it measured to be sent, in milliseconds. */
export const FLUSH_MS = 1000
/** How long nothing waits for a collector that did not take what was sent in time, in milliseconds. */
export const GIVEN_UP_MS = 30_000
/** Of the time of a process, no more than this part is spent on waiting for a collector that answers late, but in time. */
const SHARE = 0.05

/** What a function is measured with. */
export interface Measuring {
  readonly telemetry: Telemetry
  /** The same platform, its calls traced and measured. */
  readonly around: (platform: Platform) => Platform
  /** Sends what waits, within `FLUSH_MS`: a function may be frozen, for ever, as soon as it has answered. Never rejects. */
  readonly flush: () => Promise<void>
}

/**
 * Telemetry by OTLP where the configuration says where it goes; else null, and nothing of OpenTelemetry is loaded. Variables do not
 * switch it on: a platform may set its own.
 */
export async function openMeasuring(
  { telemetry: to }: Pick<CloudConfig, 'telemetry'>,
  log: Log,
  service = 'ampere-home',
): Promise<Measuring | null> {
  if (to === null) return null
  const [{ createTelemetry }, { otlpSinks }] = await Promise.all([
    import('../otel/create.ts'),
    import('../otel/otlp.ts'),
  ])
  const of = { service, version: VERSION, instance: crypto.randomUUID() }
  // A function is woken when there is something to do: each time is worth a trace.
  const { telemetry, around, flush } = createTelemetry(of, otlpSinks(to.endpoint, to.traced, to.traced), log)
  return { telemetry, around, flush: bounded(flush) }
}

/** Ends in time, whatever a collector does: a slow one costs one call of many its time, not each. What is not sent then is sent with a later one. */
function bounded(flush: () => Promise<void>): () => Promise<void> {
  let againMs = Number.NEGATIVE_INFINITY
  return async () => {
    if (Date.now() < againMs) return
    const beganMs = Date.now()
    const late = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => late.resolve('late'), FLUSH_MS)
    const ended = await Promise.race([flush().then(() => 'sent' as const), late.promise])
    clearTimeout(timer)
    const nowMs = Date.now()
    againMs = ended === 'late' ? nowMs + GIVEN_UP_MS : nowMs + (nowMs - beganMs) / SHARE
  }
}
