// SPDX-License-Identifier: Apache-2.0
import { select } from '#core/ports/needs.ts'
import { homeOf, type Alone } from '../host/cloud/alone.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import { auditLogNews } from './news.ts'
import { role } from './role.ts'

/** Slices of one scheduled audit where a process may run for some minutes only; the next call goes on. */
const MAX_SLICES = 8

/** Scheduled audits in a process of its own: each call audits what came into the log since the last one that found nothing. */
export async function openAuditing({ platform, config, hosting }: Alone): Promise<() => Promise<void>> {
  const ports = await select(platform, role.needs)
  const home = homeOf(config, ports.tables)
  const trust = { keys: config.logKeys, policy: config.policy }
  const { log, telemetry = silentTelemetry } = hosting
  telemetry.amount('audit.begun', 0)
  const audit = () => auditLogNews(ports, home, trust, log, MAX_SLICES, telemetry)
  return async () => void (await telemetry.act('audit-log', audit))
}
