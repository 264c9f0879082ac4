// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { isAmpereError } from '#core/errors.ts'
import { noteAudited, type LogAudit } from '#core/server/audit/log/audit-log.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import { auditSlice } from '#core/server/audit/log/run/sliced-audit.ts'
import type { AuditorPorts } from '#core/server/audit/needs.ts'
import type { Home } from '#core/server/home.ts'
import { silentTelemetry, type Log, type Telemetry } from '../host/telemetry.ts'

/** How often what is new in the log is audited, in milliseconds: an hour. */
export const LOG_AUDIT_MS = 3_600_000
/** After so many milliseconds of an audit on schedule it is stored how to go on, in case that it is interrupted. */
export const AUDIT_SLICE_MS = 30_000
const NEXT_PARTITION = 'next'
const NEXT_KEY = 'news'

/**
 * Audits what came into the log since the last audit that found nothing, in slices; one that was interrupted goes on where
 * its last slice ended. Never rejects: what is wrong is said in the log,
 * `log-audited` with the new leaves, `log-damaged` with the findings, `log-audit-pauses` with the leaves so far when
 * `maxSlices` were made, or `log-audit-failed` with a code.
 * @returns how many findings there are
 */
export async function auditLogNews(
  ports: AuditorPorts,
  home: Home,
  trust: LogTrust,
  log: Log,
  maxSlices: number = Number.POSITIVE_INFINITY,
  telemetry: Telemetry = silentTelemetry,
): Promise<number> {
  try {
    for (let slices = 1; ; slices++) {
      const { audit, next, leaves } = await nextSlice(ports, home, trust)
      await keepNext(ports, next)
      if (next === null) {
        const found = await conclude(ports, audit, log)
        telemetry.amount('audit.findings', found)
        return found
      }
      if (slices < maxSlices) continue
      log({ event: 'log-audit-pauses', role: 'auditor', count: leaves })
      return audit.report.findings.length
    }
  } catch (error) {
    const code = isAmpereError(error) ? error.code : 'UNEXPECTED'
    log({ event: 'log-audit-failed', role: 'auditor', code })
    return 0
  }
}

async function conclude(ports: AuditorPorts, audit: LogAudit, log: Log): Promise<number> {
  const { size, from, findings, unlisted } = audit.report
  const count = findings.length + unlisted
  if (count > 0) log({ event: 'log-damaged', role: 'auditor', code: 'STORE_CORRUPT', count })
  else log({ event: 'log-audited', role: 'auditor', count: size - from })
  await noteAudited(ports, audit)
  return count
}

async function nextSlice(ports: AuditorPorts, home: Home, trust: LogTrust) {
  const until = ports.now() + AUDIT_SLICE_MS
  const slice = { sinceLast: true, pause: () => ports.now() > until }
  const row = await ports.tables.audits.get(NEXT_PARTITION, NEXT_KEY)
  if (!row) return auditSlice(ports, home, trust, { ...slice, cursor: null })
  try {
    return await auditSlice(ports, home, trust, { ...slice, cursor: fromUtf8(row.value) })
  } catch (error) {
    // What was kept is too old, or is not what it was: everything is audited that it would have been.
    if (!isAmpereError(error, 'NOT_FOUND', 'REQUEST_MALFORMED', 'STORE_CORRUPT')) throw error
    return auditSlice(ports, home, trust, { ...slice, cursor: null })
  }
}

async function keepNext({ tables: { audits } }: AuditorPorts, next: string | null): Promise<void> {
  const row = await audits.get(NEXT_PARTITION, NEXT_KEY)
  if (row || next !== null)
    await audits.swap(NEXT_PARTITION, NEXT_KEY, row?.version ?? null, next === null ? null : utf8(next))
}
