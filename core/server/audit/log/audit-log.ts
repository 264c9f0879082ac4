// SPDX-License-Identifier: Apache-2.0
import type { Timestamp } from '../../../bytes/timestamp.ts'
import type { AppendTable } from '../../../ports/table.ts'
import type { Home } from '../../home.ts'
import type { Signed } from './anchors.ts'
import { notePassed } from './audited-row.ts'
import type { LogAuditPorts, LogTrust } from './needs.ts'
import { MAX_FLAWS, type LogFlaw, type LogReport } from './report.ts'
import { beginRun, goOn, type LogRun } from './run/log-run.ts'

/** How an audit of the log is made. */
export interface LogAuditOptions {
  /** Only what came after the last audit that passed; else everything, whatever was audited before. */
  readonly sinceLast?: boolean
  /** Is called with leaves and blocks as they are done; what it throws ends the audit. */
  readonly progress?: (leaves: number, blocks: number) => void
}

/** A finished audit: its report, what would mend it, and the tree that it is about. */
export interface LogAudit {
  readonly report: LogReport
  readonly flaws: readonly LogFlaw[]
  readonly tree: Signed | null
  /** From where on an audit of what is new looks for chains. */
  readonly cursor: Timestamp | null
}

/**
 * Audits the log of a home: builds its tree anew from the entry bundles, compares all tiles and checkpoints with it, and
 * its leaves with the blocks of all chains and of the registry. Reads only; findings are evidence, not errors.
 */
export async function auditLog(
  ports: LogAuditPorts,
  home: Home,
  trust: LogTrust,
  { sinceLast = false, progress = () => {} }: LogAuditOptions = {},
): Promise<LogAudit> {
  const run = await beginRun({ ports, home, trust }, sinceLast)
  await goOn(
    { ports, home, trust, progress, pause: () => false, maxLocatedLeaves: Number.POSITIVE_INFINITY },
    run,
  )
  return auditOf(run)
}

/** What a run that is done found, or has found so far. */
export function auditOf({ notes, tree, cursor, passed, blocks }: LogRun): LogAudit {
  const { flaws } = notes
  const listed = flaws.slice(0, MAX_FLAWS)
  const findings = listed.map(({ where, status, rule, detail }) => ({ where, status, rule, detail }))
  const unlisted = notes.unlisted + flaws.length - listed.length
  const size = tree?.checkpoint.size ?? 0
  const earlier = notes.earlier.count
  const report = { size, from: passed.edge.size, blocks, findings, unlisted, earlier }
  return { report, flaws, tree, cursor }
}

/** Notes how far an audit came that found nothing, for the next one that looks at what is new. */
export async function noteAudited(
  { tables }: { readonly tables: { readonly checkpoints: AppendTable } },
  { report, tree, cursor }: LogAudit,
): Promise<void> {
  const isClean = report.findings.length === 0 && report.unlisted === 0
  if (isClean && tree && cursor !== null && report.size > report.from)
    await notePassed(tables.checkpoints, tree.checkpoint, cursor)
}
