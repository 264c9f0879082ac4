// SPDX-License-Identifier: Apache-2.0
import { select } from '#core/ports/needs.ts'
import { carryOutErasures } from '#core/server/erase.ts'
import { homeOf, type Alone } from '../host/cloud/alone.ts'
import type { Wake } from '../host/cloud/hosted.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import { role } from './role.ts'

/**
 * The eraser in a process of its own. Woken by an order it carries out what was not stated to have been; on schedule it carries
 * out every erasure again: the stores may be older than what was stated of them.
 * @returns what rejects with the AmpereError of the first that failed, after all were tried
 */
export async function openErasing({ platform, config, hosting }: Alone): Promise<Wake> {
  const ports = await select(platform, role.needs)
  const home = homeOf(config, ports.tables)
  const { log, telemetry = silentTelemetry } = hosting
  return (by) =>
    telemetry.act('erase', async () => {
      const count = await carryOutErasures(ports, home, by === 'schedule' ? 'all' : 'unstated')
      log({ event: 'erasures', role: role.name, count })
    })
}
