// SPDX-License-Identifier: Apache-2.0
import { select } from '#core/ports/needs.ts'
import { homeOf, type Alone } from '../host/cloud/alone.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import { createFollowing } from './following.ts'
import { role } from './role.ts'

/** The follower in a process of its own: each call follows the registry once, where that is at home elsewhere. */
export async function openFollowing({ platform, config, hosting }: Alone): Promise<() => Promise<void>> {
  const ports = await select(platform, role.needs)
  const { log, telemetry = silentTelemetry } = hosting
  const follow = createFollowing(ports, homeOf(config, ports.tables), log)
  return () => telemetry.act('follow', follow)
}
