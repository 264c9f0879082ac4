// SPDX-License-Identifier: Apache-2.0
import type { Home } from '#core/block/block.ts'
import type { ParsedBlock } from '#core/block/open-block.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { ControlState } from '#core/chain/state.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { chainsOf, storedSource } from '#core/server/copy/source.ts'
import { loadHead, loadState } from '#core/server/store/rows.ts'
import { refuse } from '../program/refuse.ts'

/** A chain as the stores of a home have it. */
export interface StoredChain {
  readonly chain: ChainId
  /** Its newest block. */
  readonly head: ParsedBlock
  /** The state after that block, which says where the chain is at home. */
  readonly state: ControlState
}

/** Every chain that the stores of a home have, wherever it is at home by now. */
export async function* storedChains(platform: Platform): AsyncIterable<StoredChain> {
  const [blocks, states] = [platform.table('blocks'), platform.table('states')]
  for await (const chain of chainsOf(storedSource(await select(platform, BACKUP_NEEDS)))) {
    const head = await loadHead(blocks, chain)
    if (head) yield { chain, head, state: await loadState(states, chain, head.block.state) }
  }
}

/** The home that is left, and the new one once it has a name. */
export interface Homes {
  readonly from: Home
  readonly to: Home | null
}

/** Chains whose home is the one that is left. What was erased as a whole stays: nothing may follow, also no rehome. */
export async function* chainsToMove(platform: Platform, { from, to }: Homes): AsyncIterable<StoredChain> {
  for await (const stored of storedChains(platform)) {
    const { chain, state } = stored
    if (isAt(state, to) || state.ended) continue
    if (!isAt(state, from))
      throw refuse(
        'CONFIGURATION',
        `chain ${chain} went to ${state.home.deployment} (${state.home.origin}), which is not the home that is being made`,
        'go on in the folder of that home: npx ampere migrate --to ITS-FOLDER',
      )
    yield stored
  }
}

/** Whether a chain is at a home. */
export function isAt({ home }: ControlState, named: Home | null): boolean {
  return named !== null && home.deployment === named.deployment && home.origin === named.origin
}
