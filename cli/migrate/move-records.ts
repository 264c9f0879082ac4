// SPDX-License-Identifier: Apache-2.0
import type { Home } from '#core/block/block.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { ControlState } from '#core/chain/state.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Institution } from '../open/institution.ts'
import { refuse } from '../program/refuse.ts'
import { chainsToMove, isAt, storedChains } from './chains.ts'

/** An institution of this computer with those of its active app instances that may approve, connected to the home that is left. */
export interface Controller {
  readonly institution: Institution
  readonly connection: Connection
}

/** What came of moving the chains of a home. */
export interface Moved {
  /** Moved by this run, or before. */
  readonly moved: readonly ChainId[]
  /** Erased as a whole: nothing may follow, also no rehome. */
  readonly ended: readonly ChainId[]
}

/**
 * Signs the rehome of every chain that is at this home, and hands it to the home that is left. May be repeated: what has moved
 * stays so.
 * @throws AmpereError KEY_UNAVAILABLE where keys that are here are too few
 */
export async function moveRecords(
  platform: Platform,
  controllers: readonly Controller[],
  { from, to, progress }: MoveOptions,
): Promise<void> {
  let moved = 0
  for await (const { chain, state } of chainsToMove(platform, { from, to })) {
    await moveOne(chain, state, controllers, to)
    progress(++moved)
  }
}

/** How chains are moved. */
export interface MoveOptions {
  readonly from: Home
  readonly to: Home
  readonly progress: (chains: number) => void
}

/**
 * What the stores of the new home have: every chain is at home there, but for what was erased as a whole.
 * @throws AmpereError VERIFICATION_FAILED for a chain that is elsewhere
 */
export async function movedTo(platform: Platform, home: Home): Promise<Moved> {
  const moved: ChainId[] = []
  const ended: ChainId[] = []
  for await (const { chain, state } of storedChains(platform)) {
    if (isAt(state, home)) moved.push(chain)
    else if (state.ended) ended.push(chain)
    else throw refuse('VERIFICATION_FAILED', `chain ${chain} came over, and is at ${state.home.origin} still`)
  }
  return { moved, ended }
}

async function moveOne(
  chain: ChainId,
  state: ControlState,
  controllers: readonly Controller[],
  home: Home,
): Promise<void> {
  const { first, approvers } = approversOf(chain, state, controllers)
  await moveChain(first.connection, chain, home, approvers)
}

/**
 * Who signs that a chain moves: as many controllers as it asks for, of those that are here.
 * @throws AmpereError KEY_UNAVAILABLE where they are too few
 */
export function approversOf<C extends Pick<Controller, 'institution'>>(
  chain: ChainId,
  { controllers: { members, threshold } }: ControlState,
  here: readonly C[],
): { readonly first: C; readonly approvers: readonly Signer[] } {
  const able = here.filter(({ institution }) =>
    members.some((member) => member.kind === 'institution' && member.institution === institution.id),
  )
  const approvers = able.flatMap(({ institution }): Signer[] => institution.instances.slice(0, 1))
  const [first] = able
  if (!first || approvers.length < threshold)
    throw refuse('KEY_UNAVAILABLE', `keys that must approve the move of chain ${chain} are not here`)
  return { first, approvers: approvers.slice(0, threshold) }
}
