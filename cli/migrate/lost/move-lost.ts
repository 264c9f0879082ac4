// SPDX-License-Identifier: Apache-2.0
import type { Home } from '#core/block/block.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { layeredSource } from '#core/server/copy/layered-source.ts'
import { storedSource } from '#core/server/copy/source.ts'
import type { RegistryState } from '#core/registry/state.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { homeOf as openedHome } from '../../open/home.ts'
import type { Call } from '../../program/command.ts'
import { signersOf, type LeftHome } from '../leaving.ts'
import { settle } from '../move.ts'
import { movedTo } from '../move-records.ts'
import { noteOf, writeNote } from '../note.ts'
import { beginPlan, begunPlan, type MigrationPlan } from '../plan.ts'
import { checkRegistry, waitingChains } from '../ready.ts'
import { checkEqual, received } from '../receive.ts'
import { saidMoved, saidWaiting } from '../said.ts'
import type { MoveTarget } from '../target/target.ts'
import { enterAlone, type Members } from './enter-alone.ts'
import type { GoneHome } from './gone.ts'
import { signMoves, withEnds } from './sign-moves.ts'

/** A home that is gone, and where its settings and its institutions' keys are. */
export interface LostHome extends Pick<LeftHome, 'folder' | 'data' | 'settings' | 'passphrase'> {
  readonly gone: GoneHome
}

/**
 * Moves a home that is gone, as a copy has it, into a new one: the registry and every chain, each by a block that only the new home
 * is given. Whole, or nothing is changed. Given again it goes on.
 * @throws AmpereError KEY_UNAVAILABLE, CONFIGURATION, VERIFICATION_FAILED
 */
export async function moveLost(
  call: Call,
  lost: LostHome,
  target: (state: RegistryState, members: Members) => Promise<MoveTarget>,
): Promise<number> {
  const { folder, settings, gone } = lost
  const registry = createRegistrySource(gone.platform.table('registry'), settings.registry, createVerifiers())
  const history = await registry.refresh()
  const link = history.link()
  if (!link) throw new RangeError('a home has a registry')
  const signers = await signersOf(lost, history.newest())
  const to = await target(link.state, signers)
  const begun = begunPlan(folder, to, settings)
  await checkRegistry(link.state, settings.deployment, begun, signers.institutions)
  const controllers = signers.able.map((institution) => ({ institution }))
  const from = placeOf(settings)
  const waiting = await waitingChains(gone.platform, controllers, { from, to: begun && placeOf(begun) })
  if (waiting.length > 0) return saidWaiting(call.screen, waiting)
  const plan = begun ?? (await beginPlan(folder, to, settings, link.state))
  const platform = await to.open(plan)
  try {
    const home = openedHome({ ...settings, ...placeOf(plan) }, platform)
    await enterAlone(gone.platform, platform, home, signers)
    writeNote(folder, noteOf(to, true))
    const source = await bothOf(gone.platform, platform)
    checkEqual((await received(call, { ...lost, home: gone, source }, platform, plan)).compared)
    const ends = await signMoves(gone.platform, platform, controllers, await home.registry.refresh(), {
      from,
      to: placeOf(plan),
    })
    const ended = { ...lost, home: gone, source: withEnds(source, ends) }
    const after = await received(call, ended, platform, plan)
    checkEqual(after.compared)
    const moved = await movedTo(platform, placeOf(plan))
    const settled = await settle(lost, to, plan, platform)
    await platform.close()
    await to.serve(plan, settled)
    return saidMoved(call.screen, to, plan, { ...after, moved })
  } finally {
    await platform.close()
  }
}

function placeOf({ deployment, origin }: Pick<MigrationPlan, 'deployment' | 'origin'>): Home {
  return { deployment: asDeploymentId(deployment), origin }
}

/** What the copy has, and what the new home was given alone. */
async function bothOf(gone: Platform, platform: Platform) {
  return layeredSource(
    storedSource(await select(gone, BACKUP_NEEDS)),
    storedSource(await select(platform, BACKUP_NEEDS)),
  )
}
