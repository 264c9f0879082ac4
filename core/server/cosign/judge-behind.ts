// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '../../api/log.ts'
import { isAmpereError } from '../../errors.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { rootFromTiles } from '../../log/tile/read.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Home } from '../home.ts'
import { loadTree } from '../sequence/tree.ts'
import { contradicts, isBehind, type Contradicting, type OwnLog } from './ahead.ts'
import type { Memory } from './memory.ts'
import type { CosignerPorts } from './needs.ts'

/** A home as far as it has a log of its own. */
export type LogHome = Pick<Home, 'verifiers' | 'origin'>

/** With what is judged after the answers of a round came. */
export interface Judging {
  readonly memory: Memory
  /** Size of the published tree; 0 where none is. */
  readonly published: number
  readonly deadline: Deadline
}

/** Whether this home is behind, by what its witnesses said last and by what was proved before. */
export async function isNowBehind(
  ports: CosignerPorts,
  home: LogHome,
  policy: Policy,
  { memory, published, deadline }: Judging,
  said: Contradicting = memory,
): Promise<boolean> {
  const { proof } = memory
  if (said.ahead.size + said.refusing.size === 0 && proof === null) return false
  const own = ownLog(ports, home, published)
  // What was proved stays so whoever is silent now, until this home has that tree.
  if (proof !== null && (await contradicts(own, proof))) return true
  const verdict = await isBehind({ fetch: ports.fetch, deadline }, home, policy, said, own)
  memory.proof = verdict.proof
  return verdict.isBehind
}

/**
 * The same while nothing is published here, so that nobody can be asked to cosign: a copy from before the first tree was
 * would begin the log again. Whoever shows a tree that the log signed has seen it.
 */
export async function isUnpublishedBehind(
  ports: CosignerPorts,
  home: LogHome,
  policy: Policy,
  urls: readonly string[],
  judging: Judging,
): Promise<boolean> {
  const { looks } = judging.memory
  const nowMs = ports.now()
  const due = urls.filter((url) => !looks.isResting(url, '', nowMs))
  const said = { ahead: new Set<string>(), refusing: new Set(due) }
  const behind = await isNowBehind(ports, home, policy, judging, said)
  for (const url of due) looks.afterFailure(url, nowMs)
  return behind
}

function ownLog(ports: CosignerPorts, { origin }: LogHome, published: number): OwnLog {
  return {
    origin: logOriginOf(origin),
    size: async () => (await loadTree(ports.tables.checkpoints))?.tree.checkpoint.size ?? published,
    rootAt: (size) => rootAt(ports, size, published),
  }
}

/** Null where that is not published yet, or tiles are damaged: that is for audits to say. */
async function rootAt(
  { objects }: CosignerPorts,
  size: number,
  published: number,
): Promise<Uint8Array | null> {
  if (size > published) return null
  try {
    return await rootFromTiles(
      size,
      tileReader((path) => objects.log.fetch(path), published),
    )
  } catch (error) {
    if (isAmpereError(error, 'NOT_FOUND', 'LOG_MALFORMED')) return null
    throw error
  }
}
