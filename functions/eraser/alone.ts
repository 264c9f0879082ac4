// SPDX-License-Identifier: Apache-2.0
import { select } from '#core/ports/needs.ts'
import { carryOutErasures } from '#core/server/erase.ts'
import { homeOf, type Alone } from '../host/cloud/alone.ts'
import { role } from './role.ts'

/**
 * The eraser in a process of its own: each call carries out every erasure that a committed block orders, again where it was
 * before. To be called whenever one is ordered, and on schedule.
 * @returns what rejects with the AmpereError of the first that failed, after all were tried
 */
export async function openErasing({ platform, config, hosting }: Alone): Promise<() => Promise<void>> {
  const ports = await select(platform, role.needs)
  const home = homeOf(config, ports.tables)
  return async () => {
    const count = await carryOutErasures(ports, home)
    hosting.log({ event: 'erasures', role: role.name, count })
  }
}
