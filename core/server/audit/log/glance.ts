// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../../bytes/ids.ts'
import { timestampMs } from '../../../bytes/timestamp.ts'
import { CLOCK_TOLERANCE_MS, LOGGED_WITHIN_MS } from '../../../api/limits.ts'
import { isAmpereError } from '../../../errors.ts'
import type { Home } from '../../home.ts'
import { readEdge } from '../../sequence/sequencer.ts'
import { loadTree } from '../../sequence/tree.ts'
import { attemptOf, CHAIN_CHARACTERS } from '../../store/attempt.ts'
import { loggedHeight } from '../../store/log.ts'
import { loadBlock, loadHead } from '../../store/rows.ts'
import { loadAnchors } from './anchors.ts'
import type { LogAuditPorts, LogTrust } from './needs.ts'
import { LogNotes } from './report.ts'

/** Marks that are looked at, in each part of the table: enough to see that something waits. */
const MAX_MARKS = 200

/** What a glance at the log sees, without an audit. */
export interface Glance {
  /** Why the sequencer cannot go on, or what of the newest checkpoints is wrong; null where nothing is. */
  readonly trouble: string | null
  /** Leaves that are committed. */
  readonly size: number
  /** Chains with a block that should have been logged, of those whose newest marks were looked at. */
  readonly overdue: number
}

/** Looks at what the sequencer goes on from, and for blocks that it should have logged. Reads a few hundred rows at most. */
export async function glanceAtLog(
  ports: LogAuditPorts,
  home: Pick<Home, 'origin' | 'verifiers'>,
  trust: LogTrust,
): Promise<Glance> {
  const notes = new LogNotes()
  await loadAnchors({ ports, home, trust, notes })
  const overdue = await countOverdue(ports)
  const [flaw] = notes.flaws
  try {
    const committed = (await loadTree(ports.tables.checkpoints))?.tree ?? null
    const size = committed?.checkpoint.size ?? 0
    if (flaw) return { trouble: `${flaw.detail} (rule ${flaw.rule})`, size, overdue }
    // What was committed a moment ago is put in its place first.
    if (committed && committed.staging === null) await readEdge(ports, committed.checkpoint)
    return { trouble: null, size, overdue }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return { trouble: flaw ? `${flaw.detail} (rule ${flaw.rule})` : error.message, size: 0, overdue }
  }
}

async function countOverdue(ports: LogAuditPorts): Promise<number> {
  const chains = new Set<ChainId>()
  for (const shard of CHAIN_CHARACTERS)
    for (const row of await ports.tables.dirty.range(shard, { limit: MAX_MARKS, reverse: true })) {
      const attempt = attemptOf(row)
      if (attempt) chains.add(attempt.chain)
    }
  let overdue = 0
  for (const chain of chains) if (await isOverdue(ports, chain)) overdue++
  return overdue
}

/** By the time in the first block that is not logged, which may be as far from this clock as a home accepts. */
async function isOverdue({ tables, now }: LogAuditPorts, chain: ChainId): Promise<boolean> {
  const next = (await loggedHeight(tables.leaves, chain)) + 1
  const head = await loadHead(tables.blocks, chain)
  if (!head || head.block.height < next) return false
  const first = await loadBlock(tables.blocks, chain, next)
  return first !== null && now() - timestampMs(first.block.time) > LOGGED_WITHIN_MS + CLOCK_TOLERANCE_MS
}
