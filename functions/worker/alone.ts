// SPDX-License-Identifier: Apache-2.0
import { select } from '#core/ports/needs.ts'
import { homeOf, type Alone } from '../host/cloud/alone.ts'
import { openStandings } from '../host/cloud/gate.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import { doJobs } from './app.ts'
import { openWorker } from './open.ts'
import { role } from './role.ts'

/** The worker in a process of its own: each call takes on what waits, unless the home is behind, or nobody told that it is not. */
export async function openWorking({ platform, config, hosting }: Alone): Promise<() => Promise<void>> {
  const ports = await select(platform, role.needs)
  const home = homeOf(config, ports.tables)
  const { logKeys, policy } = config
  const worker = openWorker(ports, { home, hosting, policy, logKeys, dated: hosting.now })
  const { isBehind } = openStandings(ports, hosting.now)
  const { telemetry = silentTelemetry } = hosting
  return () => telemetry.act('work', () => doJobs(worker, isBehind, hosting))
}
