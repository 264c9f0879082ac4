// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../bytes/ids.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { PendingRecovery } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import { cancelRecovery, completeRecovery } from '../acts/recover-chain.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'
import { bothChains } from './propose.ts'

/** The recoveries that wait on a chain, in order. */
export function recoveriesOf({ link }: Replica): PendingRecovery[] {
  return link.state.pending.filter((step): step is PendingRecovery => step.kind === 'recover')
}

/**
 * Completes, or cancels, a recovery of a record and the same one of its access chain. Repeating it does what is left to do.
 * @param height of the request on the record's chain; null where only one waits
 * @returns the blocks; none when nothing waits any longer
 * @throws AmpereError NOT_FOUND, PRECONDITION_FAILED where several wait, and as the acts on one chain
 */
export async function settleRecovery(
  connection: Connection,
  record: ChainId,
  act: 'complete' | 'cancel',
  height: number | null,
): Promise<ParsedBlock[]> {
  const chains = await bothChains(connection, record)
  const action = chosen(chains, height)
  const blocks: ParsedBlock[] = []
  if (action === null) return blocks
  const settle = act === 'complete' ? completeRecovery : cancelRecovery
  for (const replica of chains)
    for (const pending of recoveriesOf(replica))
      if (pending.action === action) {
        blocks.push(await settle(connection, replica.chain, pending.height))
        // A completion ends all others; of several that ask for the same one is cancelled at a time.
        break
      }
  return blocks
}

/** What is asked for by the request that is meant. */
function chosen(chains: readonly Replica[], height: number | null): Digest | null {
  const [record] = chains
  const asked =
    height === null
      ? chains.flatMap(recoveriesOf)
      : recoveriesOf(record as Replica).filter((pending) => pending.height === height)
  if (height !== null && asked.length === 0)
    throw new AmpereError('NOT_FOUND', `block ${height} asks for no recovery that waits`)
  const [first, ...others] = new Set(asked.map(({ action }) => action))
  if (others.length > 0)
    throw new AmpereError('PRECONDITION_FAILED', 'several recoveries wait: name the block of one')
  return first ?? null
}
