// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { auditLog, noteAudited } from '#core/server/audit/log/audit-log.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import type { AuditorPorts } from '#core/server/audit/needs.ts'
import type { Home } from '#core/server/home.ts'
import type { Log } from '../host/telemetry.ts'

/** How often what is new in the log is audited, in milliseconds: an hour. */
export const LOG_AUDIT_MS = 3_600_000

/**
 * Audits what came into the log since the last audit that found nothing. Never rejects: what is wrong is said in the log,
 * `log-audited` with the new leaves, `log-damaged` with the findings, or `log-audit-failed` with a code.
 * @returns how many findings there are
 */
export async function auditLogNews(
  ports: AuditorPorts,
  home: Home,
  trust: LogTrust,
  log: Log,
): Promise<number> {
  try {
    const audit = await auditLog(ports, home, trust, { sinceLast: true })
    const { size, from, findings, unlisted } = audit.report
    const count = findings.length + unlisted
    if (count > 0) log({ event: 'log-damaged', role: 'auditor', code: 'STORE_CORRUPT', count })
    else log({ event: 'log-audited', role: 'auditor', count: size - from })
    await noteAudited(ports, audit)
    return count
  } catch (error) {
    const code = isAmpereError(error) ? error.code : 'UNEXPECTED'
    log({ event: 'log-audit-failed', role: 'auditor', code })
    return 0
  }
}
