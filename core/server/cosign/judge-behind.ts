// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '../../api/log.ts'
import type { LogKey } from '../../log/note/key.ts'
import { isAmpereError } from '../../errors.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { rootFromTiles } from '../../log/tile/read.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Home } from '../home.ts'
import { loadTree } from '../sequence/tree.ts'
import { contradicts, isBehind, type OwnLog } from './ahead.ts'
import type { Memory } from './memory.ts'
import type { CosignerPorts } from './needs.ts'

/** A home as far as it has a log of its own. */
export type LogHome = Pick<Home, 'verifiers' | 'origin'>

/** With what is judged. */
export interface Judging {
  readonly memory: Memory
  /** Size of the published tree; 0 where none is. */
  readonly published: number
  /** Keys with which the log of this home signs. */
  readonly logKeys: readonly LogKey[]
  /** False where something that a witness said could not be held against the own store. */
  readonly isWhole: boolean
  readonly deadline: Deadline
}

/** What witnesses said, by URL. */
export type Said = Pick<Memory, 'ahead' | 'refusing'>

/**
 * Judges whether this home is behind, and remembers it: by what its witnesses said last and by what was proved before. In each
 * round, whoever was asked in it: who said that it has more is asked to show it until it did, or says something else, less and
 * less often; and what could not be judged because the own store did not answer is judged in the next.
 */
export async function judgeBehind(
  ports: CosignerPorts,
  home: LogHome,
  policy: Policy,
  { memory, published, logKeys, isWhole, deadline }: Judging,
  said: Said = memory,
): Promise<void> {
  const own = ownLog(ports, home, published, logKeys)
  // What was proved stays so whoever is silent now, until this home has that tree.
  if (memory.proof !== null && !(await contradicts(own, memory.proof))) memory.proof = null
  const nowMs = ports.now()
  const urls = [...said.ahead, ...said.refusing].filter((url) => !memory.looks.isResting(url, '', nowMs))
  const asked = new Set(memory.proof === null ? urls : [])
  const contradicting = { ahead: said.ahead, asked }
  const verdict = await isBehind({ fetch: ports.fetch, deadline }, home, policy, contradicting, own)
  for (const url of asked) memory.looks.afterFailure(url, nowMs)
  memory.proof ??= verdict.proof
  memory.isBehind = verdict.isBlocked || memory.proof !== null
  memory.hasLooked ||= isWhole
}

function ownLog(
  ports: CosignerPorts,
  { origin }: LogHome,
  published: number,
  keys: readonly LogKey[],
): OwnLog {
  return {
    origin: logOriginOf(origin),
    keys,
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
