// SPDX-License-Identifier: Apache-2.0
import { select } from '#core/ports/needs.ts'
import type { Alone } from '../host/cloud/alone.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import { doSweep } from './chores.ts'
import { role } from './role.ts'

/** The sweeper in a process of its own: each call removes what was stored for blocks that never committed. */
export async function openSweeping({ platform, hosting }: Alone): Promise<() => Promise<void>> {
  const ports = await select(platform, role.needs)
  const { log, telemetry = silentTelemetry } = hosting
  return () => telemetry.act('sweep', () => doSweep(ports, log))
}
