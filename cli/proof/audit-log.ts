// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { logAuditAnswer, type LogAuditAnswer } from '#core/api/answers.ts'
import { MAX_ANSWER_BYTES } from '#core/api/limits.ts'
import { authorize } from '#core/api/request.ts'
import { call } from '#core/client/answer.ts'
import type { Connection } from '#core/client/connect.ts'
import { answered, readJson } from '#core/client/ask-home.ts'
import { AmpereError } from '#core/errors.ts'
import { select } from '#core/ports/needs.ts'
import { auditLog } from '#core/server/audit/log/audit-log.ts'
import type { LogFinding, LogReport, LogRule } from '#core/server/audit/log/report.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { REPAIR_NEEDS } from '#core/server/repair/needs.ts'
import { mendableIn, repairLog } from '#core/server/repair/repair-log.ts'
import type { Reached } from '../deployment/session.ts'
import { refuse } from '../program/refuse.ts'
import type { Screen } from '../terminal/screen.ts'

/** How the log is audited. */
export interface LogAuditOptions {
  readonly sinceLast?: boolean
  readonly repair?: boolean
}

/** What came of it; `repaired` is null where nothing was to be repaired. */
export interface AuditedLog {
  /** Rules with findings that a repair puts right; null where that is not known: a home that is asked does not say. */
  readonly mendable: ReadonlySet<LogRule> | null
  readonly report: LogReport
  readonly repaired: readonly LogFinding[] | null
}

/** Audits the log where its stores are, or asks the home to; repairs it only where nobody else writes to it. */
export async function auditHomeLog(
  { home: opened, isInCloud }: Reached,
  connection: Connection,
  options: LogAuditOptions,
  screen: Screen,
): Promise<AuditedLog> {
  if (!opened && options.repair === true) throw isInCloud ? isElsewhere() : isRunning()
  const bar = screen.progress({ doing: 'Auditing the log', unit: 'leaves' })
  const progress = (leaves: number) => bar.update(leaves)
  try {
    if (!opened)
      return { report: await askServer(connection, options, progress), repaired: null, mendable: null }
    const { platform, home, logTrust } = opened
    if (options.repair === true)
      return {
        ...(await repairLog(await select(platform, REPAIR_NEEDS), home, logTrust, progress)),
        mendable: new Set(),
      }
    const ports = await select(platform, AUDITOR_NEEDS)
    const sinceLast = options.sinceLast === true
    const audit = await auditLog(ports, home, logTrust, { sinceLast, progress })
    // Only a server notes how far it found the log in order: this command writes nothing.
    const mendable = new Set(mendableIn(audit).map(({ rule }) => rule))
    return { report: audit.report, repaired: null, mendable }
  } finally {
    bar.stop()
  }
}

/** `FAILED tile/0/000: missing. The tile is not stored (rule tile).` */
export function logFindingLine({ where, status, rule, detail }: LogFinding): string {
  return `FAILED ${where}: ${status}. ${detail[0]?.toUpperCase() ?? ''}${detail.slice(1)} (rule ${rule}).`
}

function isRunning(): AmpereError {
  const message = 'a server of this deployment is running, and it writes to the log that would be repaired'
  return refuse('STORE_LOCKED', message, 'stop it, then npx ampere audit --repair')
}

function isElsewhere(): AmpereError {
  const message = '--repair is for the home of this computer: it writes to the stores of the log'
  return refuse('UNSUPPORTED', message, 'npx ampere audit, which asks the home and changes nothing')
}

/** The home's own audit, request by request, each going on where the one before ended. */
async function askServer(
  connection: Connection,
  { sinceLast }: LogAuditOptions,
  progress: (leaves: number) => void,
): Promise<LogReport> {
  let query: Readonly<Record<string, string>> = sinceLast === true ? { since: 'last' } : {}
  for (;;) {
    const { leaves, next, ...report } = await askOnce(connection, query)
    progress(leaves)
    if (next === null) return report as LogReport
    query = { from: next }
  }
}

async function askOnce(
  { ports }: Connection,
  query: Readonly<Record<string, string>>,
): Promise<LogAuditAnswer> {
  const url = new URL('/v1/audits/log', ports.pins.origin)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  const { now, random, identity } = ports
  const asked = { method: 'GET' as const, url, body: new Uint8Array(0) }
  const header = await authorize(asked, { now, random, signer: identity.signer })
  const request = { url, init: { headers: { authorization: header } }, bytes: 0 }
  const limits = { maxBytes: MAX_ANSWER_BYTES.audit, beyond: 'fail' as const }
  const report = v.safeParse(logAuditAnswer, readJson(answered(await call(ports, request, limits))))
  if (report.success) return report.output
  throw new AmpereError('UPSTREAM_FAILED', 'the home did not answer as an audit of the log does')
}
