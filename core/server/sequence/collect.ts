// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { isAmpereError, type ErrorCode } from '../../errors.ts'
import type { Home } from '../home.ts'
import type { LabelFinder, SearchedLog, SoughtEntry } from './labels/find-label.ts'
import type { MarkedHeight, MarkReader } from './marks/read-marks.ts'
import type { SequencerPorts } from './needs.ts'
import {
  pendingOfChain,
  pendingOfRegistry,
  type ChainMemory,
  type PendingBlock,
  type PendingRun,
} from './pending.ts'

/** Chains whose blocks are read at the same time. */
export const PARALLEL_CHAINS = 64

/** A chain, or the registry, that cannot be logged, because of what the store holds. */
export interface Skipped {
  readonly chain: ChainId | Digest
  readonly code: ErrorCode
}

/** What one run takes. */
export interface Collected {
  readonly runs: readonly PendingRun[]
  /** True when there is more. */
  readonly more: boolean
  readonly skipped: readonly Skipped[]
  /** Time of the oldest mark that led to a block which is taken, in milliseconds; null where there is none. */
  readonly oldestMs: number | null
}

/** What a sequencer knows when it collects: the log as it was committed, and what it remembers. */
export interface Known extends SearchedLog {
  readonly marks: MarkReader
  readonly memory: ChainMemory
  readonly labels: LabelFinder
}

/** Reads what is to be logged: the registry first, because blocks are judged by it, then chains by their oldest mark. */
export async function collect(
  ports: SequencerPorts,
  home: Home,
  known: Known,
  maxLeaves: number,
): Promise<Collected> {
  const { marks, memory } = known
  const runs: PendingRun[] = []
  const skipped: Skipped[] = []
  let left = maxLeaves
  let oldestMs: number | null = null
  const take = (chain: ChainId | Digest, run: PendingRun | ErrorCode | null) => {
    if (typeof run === 'string') skipped.push({ chain, code: run })
    if (typeof run === 'string' || !run || left <= 0) return
    const blocks = run.blocks.slice(0, left)
    runs.push({ ...run, blocks })
    left -= blocks.length
  }
  const { pinned } = home.registry
  take(pinned, await onceOrCode(known, pinned, () => pendingOfRegistry(ports, home, memory, left)))
  const marked = unlogged(known)
  for (let at = 0; at < marked.length; at += PARALLEL_CHAINS) {
    if (left <= 0) break
    const page = marked.slice(at, at + PARALLEL_CHAINS)
    const found = await Promise.all(page.map(({ chain }) => pendingOrCode(ports, known, chain, left)))
    for (const [i, { chain, sinceMs }] of page.entries()) {
      const result = found[i] ?? null
      // Chains come by their oldest mark, so the first that has something is the one that waited longest.
      if (result && typeof result !== 'string') oldestMs ??= sinceMs
      if (result) take(chain, result)
      // Logged by somebody else, or not committed yet: then its mark stays until it is, or is too old to become one.
      else marks.ended(chain, memory.positions.get(chain)?.height ?? -1)
    }
  }
  return { runs, more: left <= 0, skipped, oldestMs }
}

/** Marked chains of which something may be to log; what is known to be logged needs no look. */
function unlogged({
  marks,
  memory,
}: {
  readonly marks: MarkReader
  readonly memory: ChainMemory
}): MarkedHeight[] {
  return marks.dirty().flatMap((marked) => {
    const { chain, height } = marked
    const logged = memory.positions.get(chain)?.height ?? -1
    if (logged < height) return [marked]
    marks.logged(chain, logged)
    return []
  })
}

function pendingOrCode(
  ports: SequencerPorts,
  known: Known,
  chain: ChainId,
  limit: number,
): Promise<PendingRun | ErrorCode | null> {
  const { memory, marks } = known
  return onceOrCode(known, chain, () =>
    pendingOfChain(ports, memory, { chain, marked: marks.marked(chain) }, limit),
  )
}

/** One damaged chain, or a damaged registry, must not keep all others out of the log. */
async function onceOrCode(
  known: Known,
  chain: ChainId | Digest,
  read: () => Promise<PendingRun | null>,
): Promise<PendingRun | ErrorCode | null> {
  try {
    return await onceOnly(known, chain, read)
  } catch (error) {
    if (!isAmpereError(error, 'STORE_CORRUPT')) throw error
    if (!known.memory.checked.has(chain)) known.memory.positions.delete(chain)
    return error.code
  }
}

/**
 * Refuses to log what the log has. A position that was read may be an older one: its newest rows may be lost, also those of
 * the blocks behind it for a while, so that there was nothing to log when it was read. The rows of a chain are in the order
 * of its blocks, and so the first block behind them tells, whenever it comes.
 */
async function onceOnly(
  { memory, labels, ...log }: Known,
  chain: ChainId | Digest,
  read: () => Promise<PendingRun | null>,
): Promise<PendingRun | ErrorCode | null> {
  const run = await read()
  const [first] = run?.blocks ?? []
  if (memory.checked.has(chain) || !run || !first) return run
  if (await labels.isLogged(log, soughtIn(run, first))) {
    memory.positions.delete(chain)
    return 'STORE_CORRUPT'
  }
  memory.checked.add(chain)
  return run
}

function soughtIn({ from, madeMs }: PendingRun, { entry }: PendingBlock): SoughtEntry {
  return { entry, madeMs, isFirst: from === 0 }
}
