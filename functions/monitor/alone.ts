// SPDX-License-Identifier: Apache-2.0
import { createVerifiers } from '#core/crypto/signature.ts'
import { select } from '#core/ports/needs.ts'
import type { Alone } from '../host/cloud/alone.ts'
import { watchedLogs } from '../host/cloud/config.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import { role } from './role.ts'
import { createWatching } from './watching.ts'

/**
 * The monitor in a process of its own: each call looks once at every log that the configuration names.
 * @throws AmpereError CONFIGURATION
 */
export async function openMonitoring({ platform, config, hosting }: Alone): Promise<() => Promise<void>> {
  const ports = await select(platform, role.needs)
  const logs = watchedLogs(config)
  const monitor = { verifiers: createVerifiers(), deadline: (ms: number) => AbortSignal.timeout(ms) }
  const { log, telemetry = silentTelemetry } = hosting
  const watch = createWatching(ports, monitor, () => logs, log)
  return () => telemetry.act('monitor', watch)
}
