// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import type { Home } from '#core/block/block.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Signer } from '#core/ports/keys.ts'
import { activeInstanceOf, recordOf } from '#core/registry/snapshot.ts'
import { withHome, type Reached } from '../../deployment/session.ts'
import { readSettings, writeSettings, type Settings } from '../../deployment/settings.ts'
import type { Homes } from '../../migrate/chains.ts'
import { enterHome, moveRegistry, type Entering } from '../../migrate/enter.ts'
import { movedTo, moveRecords, type Controller, type Moved } from '../../migrate/move-records.ts'
import { writeNote } from '../../migrate/note.ts'
import { beginPlan, begunPlan, targetOf, type MigrationPlan } from '../../migrate/plan.ts'
import { awaitWitnessed, checkRegistry, hasBegun, waitingChains, type Waiting } from '../../migrate/ready.ts'
import { checkEqual, logged, received, type Received } from '../../migrate/receive.ts'
import { checkBeside, copyBeside, logAll } from '../../migrate/target-home.ts'
import { connectInstitution } from '../../open/bridge.ts'
import type { OpenHome } from '../../open/home.ts'
import { openInstitution } from '../../open/institution.ts'
import { logKeysOf, pinnedPolicy, readPolicy, readPolicyText, writePolicy } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'
import { counted, size } from '../../terminal/words.ts'
import { connectRoot } from '../instances/registry-session.ts'

interface MigrateOptions extends Common {
  readonly to?: string
  readonly port?: number
}

/** The home that is left, open in this process. */
interface Leaving extends Reached {
  readonly home: OpenHome
  readonly entering: Entering
  readonly controllers: readonly Controller[]
}

/** Moves the home of this data folder into a new one in another folder, with its own keys, log and origin. */
export async function migrate(call: Call<MigrateOptions>): Promise<number> {
  return withHome(
    call,
    ({ institutions }) => institutions,
    async (reached) => {
      const { folder, settings } = reached
      const to = targetOf(folder, call.options.to)
      const leaving = await leavingOf(reached)
      const { entering, home, controllers } = leaving
      const link = entering.connection.sync.registry.link()
      if (!link) throw refuse('NOT_FOUND', 'the registry is empty')
      const begun = begunPlan(folder, to, settings)
      if (readSettings(to)) checkBeside(folder, to)
      await checkRegistry(link.state, settings.deployment, begun, entering.institutions)
      const homes = { from: homeOf(settings), to: begun && homeOf(begun) }
      const waiting = await waitingChains(home.platform, controllers, homes)
      if (waiting.length > 0) return saidWaiting(call, waiting)
      await witnessed(call, leaving, homes)
      const plan = begun ?? (await beginPlan(folder, to, settings, link.state, call.options.port))
      return moveOrSay(call, leaving, to, plan)
    },
    'leave',
  )
}

async function leavingOf(reached: Reached): Promise<Leaving> {
  const { folder, settings, home, passphrase, fetch } = reached
  if (!home)
    throw refuse(
      'STORE_LOCKED',
      `this home is served at ${settings.origin}, and would go on taking blocks`,
      'stop that server, then the same command again',
    )
  const all = await Promise.all(settings.institutions.map((id) => openInstitution(folder, id, passphrase)))
  const newest = (await home.home.registry.refresh()).newest()
  const deployment = recordOf(newest, 'deployment', settings.deployment)
  const owner = all.find(({ id }) => id === deployment?.institution)
  if (!owner)
    throw refuse('KEY_UNAVAILABLE', 'the keys of the institution whose home this is are not on this computer')
  const policy = pinnedPolicy(folder, settings)
  const mayApprove = ({ kid }: Signer) =>
    activeInstanceOf(newest, kid)?.instance.capabilities.includes('control') ?? false
  const controllers = all
    .map((institution) => ({ ...institution, instances: institution.instances.filter(mayApprove) }))
    .filter(({ instances }) => instances.length > 0)
    .map((institution) => ({
      institution,
      connection: connectInstitution(institution, settings, fetch, { policy }),
    }))
  const connection = await connectRoot({ settings, fetch }, owner)
  return { ...reached, home, entering: { connection, owner, institutions: all }, controllers }
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

/** However it ends before its end: what lies in the new folder can be read with the keys beside it. */
async function moveOrSay(
  call: Call<MigrateOptions>,
  leaving: Leaving,
  to: string,
  plan: MigrationPlan,
): Promise<number> {
  const { home, settings } = leaving
  let isMoving = await hasBegun(home.platform, { from: homeOf(settings), to: homeOf(plan) })
  const keeps = () =>
    isMoving
      ? `${to} holds keys and sealed objects, and chains have moved into it: do not remove it. Go on with the same command; nothing serves it before that.`
      : `${to} holds keys and sealed objects, which an erasure at the old home does not reach. Go on with the same command, or remove that folder and then npx ampere retire ${plan.deployment}.`
  call.screen.stopping.keeps(keeps)
  try {
    return await moveInto(call, leaving, to, plan, () => {
      isMoving = true
      // From the first rehome on nothing is served here: it would be acknowledged where the home no longer is.
      writeNote(leaving.folder, { v: 1, to, left: true })
    })
  } catch (error) {
    call.screen.say(keeps())
    throw error
  }
}

async function moveInto(
  call: Call<MigrateOptions>,
  leaving: Leaving,
  to: string,
  plan: MigrationPlan,
  moving: () => void,
): Promise<number> {
  const { home: old, passphrase, entering } = leaving
  mkdirSync(join(to, 'home'), { recursive: true, mode: 0o700 })
  const platform = openLocal({ folder: join(to, 'home'), passphrase })
  try {
    await enterHome(entering, plan, await platform.signer('head'))
    await logAll(old)
    checkEqual((await received(call, leaving, platform, plan)).compared)
    moving()
    await rehomed(call, leaving, plan)
    await moveRegistry(entering, plan)
    await logAll(old)
    const after = await received(call, leaving, platform, plan)
    checkEqual(after.compared)
    const moved = await movedTo(platform, homeOf(plan))
    const logKeys = await logKeysOf(platform, plan.origin)
    await platform.close()
    await settle(leaving, to, plan, logKeys)
    return said(call, to, plan, { ...after, moved })
  } finally {
    await platform.close()
  }
}

/** Gives the new folder all that a server of it needs, its settings last: before that nothing starts there. */
async function settle(
  { folder, settings: left, passphrase }: Leaving,
  to: string,
  plan: MigrationPlan,
  log: readonly string[],
): Promise<void> {
  // What was set in the new folder since, stays.
  if (!readSettings(to)) {
    const { deployment, origin } = plan
    const settings: Settings = { ...left, deployment, origin, log, left: [...left.log, ...(left.left ?? [])] }
    copyBeside(folder, to)
    keepPolicy(folder, to, plan, log)
    await logged(to, settings, passphrase)
    writeSettings(to, settings)
  }
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

function saidWaiting({ screen }: Call, waiting: readonly Waiting[]): number {
  screen.print({ ok: false, waiting }, [
    `Nothing was changed: ${counted(waiting.length, 'chain')} would stay at a home that no longer has the registry. Controllers must approve whose keys are not here:`,
    ...waiting.map(
      ({ chain, threshold, missing }) =>
        `  ${chain}  ${threshold} must approve; not here: ${missing.join(', ')}`,
    ),
    'They change who controls these chains, so that keys that are here suffice, or bring theirs; then the same command again.',
  ])
  return EXIT.failed
}

function said(
  { screen }: Call,
  to: string,
  { deployment, origin, from }: MigrationPlan,
  { report, compared, moved: { moved, ended } }: Received & { readonly moved: Moved },
): number {
  const { chains, blocks, parts, bytes } = compared
  const { receipts, unlogged } = report
  screen.print({ ok: true, folder: to, deployment, origin, moved, ended, receipts, unlogged, compared }, [
    `Compared byte by byte: ${counted(chains, 'chain')}, ${counted(blocks, 'block')}, ${counted(parts, 'stored part')} (${size(bytes)}); nothing differs but what erasures destroyed.`,
    `Moved, with the registry: ${counted(moved.length, 'chain')} to ${origin}. Of blocks from before it has ${counted(receipts, 'receipt')} of the log of ${from.origin}.`,
    ...(ended.length === 0
      ? []
      : [`Erased as a whole, and so moved by nobody: ${counted(ended.length, 'chain')}.`]),
    `Keep the old data folder, or a backup of it: it has the log of ${from.origin}. Nothing starts there any more. Where what moved is erased later, it is to be erased there too.`,
    'Witnesses, monitors and mirrors are to be told of the new log: npx ampere witness list, then docs/OPERATIONS.md, "Move a home".',
    `Next  npx ampere verify --data ${to} --all, then npx ampere start --data ${to}`,
  ])
  return EXIT.ok
}
