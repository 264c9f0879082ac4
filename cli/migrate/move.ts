// SPDX-License-Identifier: Apache-2.0
import type { Home } from '#core/block/block.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Platform } from '#core/ports/needs.ts'
import { readSettings, writeSettings, type Settings } from '../deployment/settings.ts'
import { homeOf as openedHome } from '../open/home.ts'
import { logKeysOf, readPolicy, readPolicyText, writePolicy } from '../open/policy.ts'
import type { Call } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'
import type { Homes } from './chains.ts'
import { enterHome, moveRegistry } from './enter.ts'
import type { Leaving } from './leaving.ts'
import { movedTo, moveRecords } from './move-records.ts'
import { noteOf, writeNote } from './note.ts'
import { beginPlan, begunPlan, type MigrationPlan } from './plan.ts'
import { awaitWitnessed, checkRegistry, hasMoved, waitingChains } from './ready.ts'
import { checkEqual, copied, received } from './receive.ts'
import { saidMoved, saidWaiting } from './said.ts'
import { checkBeside, copyBeside, keepLog, logAll } from './target-home.ts'
import type { MoveTarget } from './target/target.ts'

/**
 * Moves a home whole, with its registry, or changes nothing.
 * @throws AmpereError KEY_UNAVAILABLE, CONFIGURATION, VERIFICATION_FAILED
 */
export async function move(call: Call, leaving: Leaving, target: MoveTarget): Promise<number> {
  const { entering, home, controllers, folder, settings } = leaving
  const link = entering.connection.sync.registry.link()
  if (!link) throw refuse('NOT_FOUND', 'the registry is empty')
  const begun = begunPlan(folder, target, settings)
  if (readSettings(target.folder)) checkBeside(folder, target.folder)
  if (begun) await noteLeft(leaving, target, begun)
  await checkRegistry(link.state, settings.deployment, begun, entering.institutions)
  const homes = { from: homeOf(settings), to: begun && homeOf(begun) }
  const waiting = await waitingChains(home.platform, controllers, homes)
  if (waiting.length > 0) return saidWaiting(call.screen, waiting)
  await witnessed(call, leaving, homes)
  return moveOrSay(call, leaving, target, begun ?? (await beginPlan(folder, target, settings, link.state)))
}

function homeOf({ deployment, origin }: Pick<Settings, 'deployment' | 'origin'>): Home {
  return { deployment: asDeploymentId(deployment), origin }
}

async function witnessed({ screen }: Call, { home, folder, settings }: Leaving, homes: Homes): Promise<void> {
  const progress = screen.progress({ doing: 'Waiting for witnesses', unit: 'chains' })
  await awaitWitnessed(home, readPolicy(folder, settings.origin), homes, {
    wait: screen.terminal.wait,
    progress: (chains) => progress.update(chains),
  }).finally(() => progress.stop())
}

/** However it ends before its end: what lies in the new home can be read with the keys beside it. */
async function moveOrSay(
  call: Call,
  leaving: Leaving,
  target: MoveTarget,
  plan: MigrationPlan,
): Promise<number> {
  const { name, holds } = target
  let isMoving = await noteLeft(leaving, target, plan)
  const keeps = () =>
    isMoving
      ? `${name} holds keys and sealed objects, and chains have moved into it: do not remove it. Go on with the same command; nothing serves it before that.`
      : `${name} holds keys and sealed objects, which an erasure at the old home does not reach. Go on with the same command, ${holds} and then npx ampere retire ${plan.deployment}. The old home goes on with ${leaving.goesOn}.`
  call.screen.stopping.keeps(keeps)
  try {
    return await moveInto(call, leaving, target, plan, () => {
      isMoving = true
      // From the first rehome on nothing is served here: it would be acknowledged where the home no longer is.
      writeNote(leaving.folder, noteOf(target, true))
    })
  } catch (error) {
    isMoving = await noteLeft(leaving, target, plan)
    call.screen.say(keeps())
    throw error
  }
}

/**
 * While neither a chain nor the registry has moved the old home may go on, whatever a run that ended too early noted.
 * @returns whether one has
 */
async function noteLeft(
  { home, folder }: Leaving,
  target: MoveTarget,
  plan: MigrationPlan,
): Promise<boolean> {
  const rules = (await home.home.registry.refresh()).newest().get('rules')
  const isRegistry = rules?.kind === 'rules' && rules.home === plan.deployment
  const left = isRegistry || (await hasMoved(home.platform, homeOf(plan)))
  writeNote(folder, noteOf(target, left))
  return left
}

async function moveInto(
  call: Call,
  leaving: Leaving,
  target: MoveTarget,
  plan: MigrationPlan,
  moving: () => void,
): Promise<number> {
  const { home: old, entering } = leaving
  const platform = await target.open(plan)
  try {
    await enterHome(entering, plan, await platform.signer('head'))
    await stopped(call, leaving, platform, plan)
    await logAll(old)
    checkEqual((await received(call, leaving, platform, plan)).compared)
    moving()
    await rehomed(call, leaving, plan)
    await moveRegistry(entering, plan)
    await logAll(old)
    const after = await received(call, leaving, platform, plan)
    checkEqual(after.compared)
    const moved = await movedTo(platform, homeOf(plan))
    const settings = await settle(leaving, target, plan, platform)
    await platform.close()
    await target.serve(plan, settings)
    await leaving.end()
    return saidMoved(call.screen, target, plan, { ...after, moved })
  } finally {
    await platform.close()
  }
}

/** Most of it is copied while the old home still answers. What came to it meanwhile must be able to go, too. */
async function stopped(call: Call, leaving: Leaving, platform: Platform, plan: MigrationPlan): Promise<void> {
  const { stop, home, settings, controllers } = leaving
  if (!stop) return
  await copied(call, leaving, platform, plan)
  call.screen.say('Nobody answers for the old home from here on.')
  await stop()
  const [first] = await waitingChains(home.platform, controllers, {
    from: homeOf(settings),
    to: homeOf(plan),
  })
  if (!first) return
  throw refuse(
    'KEY_UNAVAILABLE',
    `chain ${first.chain} came to the old home meanwhile, and ${first.threshold} must approve that it moves; not here: ${first.missing.join(', ')}`,
    leaving.goesOn,
  )
}

/** Gives the new home all that a server of it needs, its settings last: before that nothing starts there. */
export async function settle(
  { folder, settings: left }: Pick<Leaving, 'folder' | 'settings'>,
  { folder: to }: MoveTarget,
  plan: MigrationPlan,
  platform: Platform,
): Promise<Settings> {
  // What was set in the new folder since, stays.
  const known = readSettings(to)
  if (known) return known
  const { deployment, origin } = plan
  const log = await logKeysOf(platform, origin)
  const settings: Settings = { ...left, deployment, origin, log, left: [...left.log, ...(left.left ?? [])] }
  copyBeside(folder, to)
  keepPolicy(folder, to, plan, log)
  await logAll(await keepLog(platform, openedHome(settings, platform)))
  writeSettings(to, settings)
  return settings
}

async function rehomed(
  { screen }: Call,
  { home, controllers, settings }: Leaving,
  plan: MigrationPlan,
): Promise<void> {
  const progress = screen.progress({ doing: 'Moving', unit: 'chains' })
  await moveRecords(home.platform, controllers, {
    from: homeOf(settings),
    to: homeOf(plan),
    progress: (chains) => progress.update(chains),
  }).finally(() => progress.stop())
}

/** Who witnesses stays; the log of the new home stands beside that of the old one, whose receipts are judged by it. */
function keepPolicy(folder: string, to: string, { origin }: MigrationPlan, keys: readonly string[]): void {
  const text = readPolicyText(folder)
  if (text === null) return
  writePolicy(to, origin, `${keys.map((key) => `log ${key}\n`).join('')}${text}`)
}
