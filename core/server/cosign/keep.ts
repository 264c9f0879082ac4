// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { isAmpereError } from '../../errors.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import type { Row } from '../../ports/table.ts'
import type { Home } from '../home.ts'
import { LOG_PARTITION, PUBLISHED_KEY, WITNESSED_PARTITION } from '../store/log.ts'
import { heightKey } from '../store/rows.ts'
import type { CosignerPorts } from './needs.ts'
import { stateOf, type State } from './state.ts'

/** Publishes the cosigned checkpoint unless a larger one was published meanwhile, once it is kept for receipts. */
export async function keep(
  ports: CosignerPorts,
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  row: Row,
  note: string,
): Promise<State> {
  const { tables, now } = ports
  const value = utf8(note)
  const nowSeconds = now() / 1000
  const state = await stateOf(home, policy, { ...row, value }, nowSeconds)
  if (state.satisfied) await keepWitnessed(ports, home, policy, state, nowSeconds)
  if (note !== fromUtf8(row.value))
    await tables.checkpoints.swap(LOG_PARTITION, PUBLISHED_KEY, row.version, value)
  return state
}

/**
 * Keeps a checkpoint that has the quorum for receipts, unless one of its size is kept that has it: the first stays. One
 * without, of an earlier policy or robbed of its cosignatures, gives way; what is published has the cosignatures of both.
 */
export async function keepWitnessed(
  { tables }: CosignerPorts,
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  { note, checkpoint }: State,
  nowSeconds: number,
): Promise<void> {
  const key = heightKey(checkpoint.size)
  const value = utf8(note)
  if ((await tables.checkpoints.insert(WITNESSED_PARTITION, key, value)) === 'inserted') return
  const kept = await tables.checkpoints.get(WITNESSED_PARTITION, key)
  if (kept && (await givesWay(home, policy, kept, checkpoint, nowSeconds)))
    await tables.checkpoints.swap(WITNESSED_PARTITION, key, kept.version, value)
}

async function givesWay(
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  kept: Row,
  { root }: Checkpoint,
  nowSeconds: number,
): Promise<boolean> {
  try {
    const state = await stateOf(home, policy, kept, nowSeconds)
    // Two roots that the log signed for one size are proof of a fork: audits find it, and nobody may remove it.
    return !state.satisfied && equalBytes(state.checkpoint.root, root)
  } catch (error) {
    if (isAmpereError(error)) return true
    throw error
  }
}
