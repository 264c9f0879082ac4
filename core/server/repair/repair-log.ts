// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import { utf8 } from '../../bytes/encoding.ts'
import type { Row } from '../../ports/table.ts'
import { auditLog, type LogAudit } from '../audit/log/audit-log.ts'
import type { LogTrust } from '../audit/log/needs.ts'
import type { LogFinding, LogFlaw, LogReport, LogRule, Remedy } from '../audit/log/report.ts'
import type { Home } from '../home.ts'
import { heightKey } from '../store/rows.ts'
import type { RepairPorts } from './needs.ts'

/** What came of a repair. */
export interface LogRepair {
  /** What was put right, in order. */
  readonly repaired: readonly LogFinding[]
  /** The whole audit after it: what is still found cannot be computed from what verified. */
  readonly report: LogReport
}

/** Times that one thing is put right at most: what is found again after that is not what was thought. */
const MAX_TIMES = 3

/** With these nothing is known of what belongs under the tree. */
const UNPROVEN: readonly LogRule[] = ['log-root', 'forked', 'rolled-back', 'bundle', 'tile']

/**
 * Puts right what follows from verified data: tiles and bundles from leaves, or blocks, that make the signed root, rows of
 * leaves from bundles and blocks, the published checkpoint from the committed one. Nothing else is written, and nothing
 * over what the signed root does not decide. Run it with no sequencer beside it; what a crash leaves behind, another
 * repair finishes.
 */
export async function repairLog(
  ports: RepairPorts,
  home: Home,
  trust: LogTrust,
  progress: (leaves: number, blocks: number) => void = () => {},
): Promise<LogRepair> {
  const repaired: LogFinding[] = []
  const times = new Map<string, number>()
  // More than one round where damage was hidden by other damage, or is more than one audit lists.
  for (;;) {
    const audit = await auditLog(ports, home, trust, { progress })
    const due = mendableIn(audit).filter(
      ({ rule, where }) => (times.get(`${rule} ${where}`) ?? 0) < MAX_TIMES,
    )
    if (due.length === 0) return { repaired, report: audit.report }
    for (const { remedy, ...finding } of due) {
      await apply(ports, remedy)
      repaired.push(finding)
      const name = `${finding.rule} ${finding.where}`
      times.set(name, (times.get(name) ?? 0) + 1)
    }
  }
}

type Mendable = LogFlaw & { readonly remedy: Remedy }

/** What can be put right now; the checkpoint is published last, when all that it promises is there. */
export function mendableIn({ flaws }: LogAudit): readonly Mendable[] {
  const mendable = flaws.filter((flaw): flaw is Mendable => flaw.remedy !== null)
  const isProven = !flaws.some(({ rule }) => UNPROVEN.includes(rule))
  return mendable.filter(({ remedy }) => remedy.kind !== 'checkpoint' || isProven)
}

async function apply({ tables, objects }: RepairPorts, remedy: Remedy): Promise<void> {
  if (remedy.kind === 'object') {
    await objects.log.shred(remedy.path)
    await objects.log.store(remedy.path, remedy.bytes)
  } else if (remedy.kind === 'checkpoint') {
    const { partition, key, note } = remedy
    const row = await tables.checkpoints.get(partition, key)
    await tables.checkpoints.swap(partition, key, row?.version ?? null, utf8(note))
  } else await replaceRows(tables.leaves, remedy)
}

/** Newest first: a sequencer that begins after a crash asks the newest row how far the chain is logged. */
async function replaceRows(
  leaves: RepairPorts['tables']['leaves'],
  { chain, runs }: Extract<Remedy, { readonly kind: 'leaves' }>,
): Promise<void> {
  const wanted = new Set<string>()
  for (const { from, count, index } of runs.toReversed()) {
    const key = heightKey(from)
    wanted.add(key)
    const row = await leaves.get(chain, key)
    await leaves.swap(chain, key, row?.version ?? null, canonicalBytes({ v: 1, count, index }))
  }
  for (let from = ''; ;) {
    const rows: readonly Row[] = await leaves.range(chain, { from })
    const last = rows.at(-1)
    if (!last) return
    for (const { key, version } of rows) if (!wanted.has(key)) await leaves.swap(chain, key, version, null)
    from = `${last.key}\u0000`
  }
}
