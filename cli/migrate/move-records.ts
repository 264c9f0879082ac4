// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { actionOf } from '#core/block/approval.ts'
import type { Home } from '#core/block/block.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { ControlState } from '#core/chain/state.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { chainsOf, type HomeSource } from '#core/server/copy/source.ts'
import { loadHead, loadState } from '#core/server/store/rows.ts'
import type { Institution } from '../open/institution.ts'

/** An institution of this computer with its active app instances, connected to the home that is left. */
export interface Controller {
  readonly institution: Institution
  readonly connection: Connection
}

/** What came of moving the chains of a home. */
export interface Moved {
  /** Moved by this run, or before. */
  readonly moved: readonly ChainId[]
  /** Controllers elsewhere have to approve: what is to be signed is in a file of each. */
  readonly waiting: readonly ChainId[]
  /** Erased as a whole: nothing may follow, also no rehome. */
  readonly ended: readonly ChainId[]
}

/**
 * Signs the rehome of every chain that is at this home, where controllers whose keys are here are as many as must approve,
 * and hands it to the home that is left. May be repeated: what has moved stays so.
 */
export async function moveRecords(
  platform: Platform,
  source: HomeSource,
  controllers: readonly Controller[],
  { home, waitingIn, progress }: MoveOptions,
): Promise<Moved> {
  const moved: ChainId[] = []
  const waiting: ChainId[] = []
  const ended: ChainId[] = []
  for await (const chain of chainsOf(source)) {
    const state = await stateOf(platform, chain)
    if (!state) continue
    if (state.home.origin === home.origin) moved.push(chain)
    else if (state.ended) ended.push(chain)
    else if (await moveOne(chain, state, controllers, home)) moved.push(chain)
    else {
      waiting.push(chain)
      writeWaiting(waitingIn, chain, state, home)
    }
    progress(moved.length + waiting.length + ended.length)
  }
  return { moved, waiting, ended }
}

/** How chains are moved. */
export interface MoveOptions {
  readonly home: Home
  /** Folder for what others have to sign. */
  readonly waitingIn: string
  readonly progress: (chains: number) => void
}

async function stateOf(platform: Platform, chain: ChainId): Promise<ControlState | null> {
  const head = await loadHead(platform.table('blocks'), chain)
  return head && loadState(platform.table('states'), chain, head.block.state)
}

/** @returns false where the keys that are here are too few */
async function moveOne(
  chain: ChainId,
  { controllers: { members, threshold } }: ControlState,
  here: readonly Controller[],
  home: Home,
): Promise<boolean> {
  const able = here.filter(({ institution }) =>
    members.some((member) => member.kind === 'institution' && member.institution === institution.id),
  )
  const approvers = able.flatMap(({ institution }): Signer[] => institution.instances.slice(0, 1))
  const [first] = able
  if (!first || approvers.length < threshold) return false
  await moveChain(first.connection, chain, home, approvers.slice(0, threshold))
  return true
}

/** Of a chain only what its blocks say in the open: nothing in the file is medical, and no key. */
function writeWaiting(folder: string, chain: ChainId, state: ControlState, home: Home): void {
  const body = { home, from: state.home }
  const action = actionOf('rehome', body)
  const { seq, controllers } = state
  const { threshold, members } = controllers
  const approve = members.map((member) => (member.kind === 'device' ? member.kid : member.institution))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const text = JSON.stringify(
    { type: 'rehome', chain, body, approval: { chain, seq, action }, threshold, approve },
    null,
    2,
  )
  writeFileSync(join(folder, `${chain}.json`), `${text}\n`, { mode: 0o600 })
}
