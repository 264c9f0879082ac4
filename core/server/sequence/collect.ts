// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { isAmpereError, type ErrorCode } from '../../errors.ts'
import type { Home } from '../home.ts'
import type { MarkReader } from './marks/read-marks.ts'
import type { SequencerPorts } from './needs.ts'
import { pendingOfChain, pendingOfRegistry, type ChainMemory, type PendingRun } from './pending.ts'

/** Chains whose blocks are read at the same time. */
const PARALLEL_CHAINS = 64

/** A chain that cannot be logged, because of what the store holds. */
export interface Skipped {
  readonly chain: ChainId
  readonly code: ErrorCode
}

/** What one run takes. */
export interface Collected {
  readonly runs: readonly PendingRun[]
  /** True when there is more. */
  readonly more: boolean
  readonly skipped: readonly Skipped[]
}

/** Reads what is to be logged: the registry first, because blocks are judged by it, then chains by their oldest mark. */
export async function collect(
  ports: SequencerPorts,
  home: Home,
  known: { readonly marks: MarkReader; readonly memory: ChainMemory },
  maxLeaves: number,
): Promise<Collected> {
  const { marks, memory } = known
  const runs: PendingRun[] = []
  const skipped: Skipped[] = []
  let left = maxLeaves
  const take = (run: PendingRun | null) => {
    if (!run || left <= 0) return
    const blocks = run.blocks.slice(0, left)
    runs.push({ ...run, blocks })
    left -= blocks.length
  }
  take(await pendingOfRegistry(ports, home, memory, left))
  const chains = unlogged(known)
  for (let at = 0; at < chains.length; at += PARALLEL_CHAINS) {
    if (left <= 0) break
    const page = chains.slice(at, at + PARALLEL_CHAINS)
    const found = await Promise.all(page.map((chain) => pendingOrCode(ports, memory, chain, left)))
    for (const [i, chain] of page.entries()) {
      const result = found[i] ?? null
      if (typeof result === 'string') skipped.push({ chain, code: result })
      else if (result) take(result)
      // Logged by somebody else, or not committed yet: then its mark stays until it is, or is too old to become one.
      else marks.ended(chain, memory.positions.get(chain)?.height ?? -1)
    }
  }
  return { runs, more: left <= 0, skipped }
}

/** Marked chains of which something may be to log; what is known to be logged needs no look. */
function unlogged({
  marks,
  memory,
}: {
  readonly marks: MarkReader
  readonly memory: ChainMemory
}): ChainId[] {
  return marks.dirty().flatMap(({ chain, height }) => {
    const logged = memory.positions.get(chain)?.height ?? -1
    if (logged < height) return [chain]
    marks.logged(chain, logged)
    return []
  })
}

async function pendingOrCode(
  ports: SequencerPorts,
  memory: ChainMemory,
  chain: ChainId,
  limit: number,
): Promise<PendingRun | ErrorCode | null> {
  try {
    return await pendingOfChain(ports, memory, chain, limit)
  } catch (error) {
    // One damaged chain must not keep all others out of the log.
    if (isAmpereError(error, 'STORE_CORRUPT')) return error.code
    throw error
  }
}
