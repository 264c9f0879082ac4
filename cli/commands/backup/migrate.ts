// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { recordOf } from '#core/registry/snapshot.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { areEqual, compareHomes } from '#core/server/compare/compare-homes.ts'
import type { Comparison } from '#core/server/compare/report.ts'
import { storedSource } from '#core/server/copy/source.ts'
import type { Home } from '#core/server/home.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { receiveHome, type ReceiveReport } from '#core/server/restore/receive.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { withHome, type Reached } from '../../deployment/session.ts'
import { readSettings, writeSettings, type Settings } from '../../deployment/settings.ts'
import { enterHome, moveRegistry, type Entering } from '../../migrate/enter.ts'
import { moveRecords, type Controller, type Moved } from '../../migrate/move-records.ts'
import { planOf, targetOf, type MigrationPlan } from '../../migrate/plan.ts'
import { copyBeside, logAll } from '../../migrate/target-home.ts'
import { connectInstitution } from '../../open/bridge.ts'
import { openHome, type OpenHome } from '../../open/home.ts'
import { openInstitution, withActiveInstances } from '../../open/institution.ts'
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
      const to = targetOf(reached.folder, call.options.to)
      const leaving = await leavingOf(reached)
      const { registry } = leaving.entering.connection.sync
      const link = registry.link()
      if (!link) throw refuse('NOT_FOUND', 'the registry is empty')
      const plan = await planOf(to, reached.settings, link.state, call.options.port)
      call.screen.stopping.keeps(() => 'What came over so far is kept: the same command goes on with it.')
      return moveInto(call, leaving, to, plan)
    },
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
  const controllers = all
    .map((institution) => withActiveInstances(institution, newest))
    .filter(({ instances }) => instances.length > 0)
    .map((institution) => ({
      institution,
      connection: connectInstitution(institution, settings, fetch, { policy }),
    }))
  const connection = await connectRoot({ settings, fetch }, owner)
  return { ...reached, home, entering: { connection, owner, institutions: all }, controllers }
}

async function moveInto(
  call: Call<MigrateOptions>,
  leaving: Leaving,
  to: string,
  plan: MigrationPlan,
): Promise<number> {
  const { folder, home: old, passphrase } = leaving
  mkdirSync(join(to, 'home'), { recursive: true, mode: 0o700 })
  const platform = openLocal({ folder: join(to, 'home'), passphrase })
  try {
    await enterHome(leaving.entering, plan, await platform.signer('head'))
    await logAll(old)
    const before = await received(call, leaving, platform, plan)
    checkEqual(before.compared)
    const moved = await rehomed(call, leaving, to, plan)
    const isRegistry = await moveRegistry(leaving.entering, plan)
    await logAll(old)
    const after = await received(call, leaving, platform, plan)
    checkEqual(after.compared)
    const logKeys = await logKeysOf(platform, plan.origin)
    copyBeside(folder, to)
    keepPolicy(folder, to, plan, logKeys)
    await platform.close()
    const settings: Settings = {
      ...leaving.settings,
      deployment: plan.deployment,
      origin: plan.origin,
      log: logKeys,
      left: [...leaving.settings.log, ...(leaving.settings.left ?? [])],
    }
    await logged(to, settings, passphrase)
    // What was set in the new folder since, stays.
    if (!readSettings(to)) writeSettings(to, settings)
    return said(call, to, plan, { ...after, moved, isRegistry })
  } finally {
    await platform.close()
  }
}

/** What came over, and how it compares. */
interface Received {
  readonly report: ReceiveReport
  readonly compared: Comparison
}

async function received(
  { screen }: Call,
  { settings, folder, home: old }: Leaving,
  platform: Platform,
  plan: MigrationPlan,
): Promise<Received> {
  const verifiers = createVerifiers()
  const home: Home = {
    deployment: asDeploymentId(plan.deployment),
    origin: plan.origin,
    durability: 'local',
    backupDays: settings.backups?.days ?? 0,
    registry: createRegistrySource(platform.table('registry'), settings.registry, verifiers),
    verifiers,
  }
  const left = {
    deployment: old.home.deployment,
    origin: settings.origin,
    source: storedSource(await select(old.platform, BACKUP_NEEDS)),
    findReceipt: receiptFinder(await select(old.platform, READER_NEEDS), readPolicy(folder, settings.origin)),
  }
  const receiving = screen.progress({ doing: 'Copying', unit: 'blocks' })
  const ports = await select(platform, RESTORE_NEEDS)
  const report = await receiveHome(left, ports, home, {
    received: (blocks) => receiving.update(blocks),
  }).finally(() => receiving.stop())
  const comparing = screen.progress({ doing: 'Comparing', unit: 'blocks' })
  const back = storedSource(await select(platform, BACKUP_NEEDS))
  const compared = await compareHomes(left.source, back, {
    isLater: true,
    hasOwnLog: true,
    progress: (blocks) => comparing.update(blocks),
  }).finally(() => comparing.stop())
  return { report, compared }
}

function checkEqual(compared: Comparison): void {
  if (areEqual(compared)) return
  const [first] = compared.differences
  throw refuse(
    'VERIFICATION_FAILED',
    `what came over differs: ${first?.part ?? ''} ${first?.where ?? ''} (${first?.how ?? ''})`,
    'npx ampere audit; nothing was moved since',
  )
}

async function rehomed(
  { screen }: Call,
  { home, controllers }: Leaving,
  to: string,
  { deployment, origin }: MigrationPlan,
): Promise<Moved> {
  const progress = screen.progress({ doing: 'Moving', unit: 'chains' })
  const source = storedSource(await select(home.platform, BACKUP_NEEDS))
  return moveRecords(home.platform, source, controllers, {
    home: { deployment: asDeploymentId(deployment), origin },
    waitingIn: join(to, 'waiting'),
    progress: (chains) => progress.update(chains),
  }).finally(() => progress.stop())
}

/** Who witnesses stays; the log of the new home stands beside that of the old one, whose receipts are judged by it. */
function keepPolicy(folder: string, to: string, { origin }: MigrationPlan, keys: readonly string[]): void {
  const text = readPolicyText(folder)
  if (text === null || existsSync(join(to, 'policy.txt'))) return
  writePolicy(to, origin, `${keys.map((key) => `log ${key}\n`).join('')}${text}`)
}

/** The new log has all of it before anybody can ask the new home for a head. */
async function logged(
  to: string,
  settings: Settings,
  passphrase: Parameters<typeof openHome>[2],
): Promise<void> {
  const opened = await openHome(to, settings, passphrase, silentLog)
  try {
    await logAll(opened)
  } finally {
    await opened.platform.close()
  }
}

function said(
  { screen }: Call,
  to: string,
  { deployment, origin, from }: MigrationPlan,
  {
    report,
    compared,
    moved: { moved, waiting, ended },
    isRegistry,
  }: Received & { readonly moved: Moved; readonly isRegistry: boolean },
): number {
  const { chains, blocks, parts, bytes } = compared
  const { receipts, unlogged } = report
  screen.print(
    {
      ok: waiting.length === 0 && isRegistry,
      folder: to,
      deployment,
      origin,
      moved,
      waiting,
      ended,
      registryMoved: isRegistry,
      receipts,
      unlogged,
      compared,
    },
    [
      `Compared byte by byte: ${counted(chains, 'chain')}, ${counted(blocks, 'block')}, ${counted(parts, 'stored part')} (${size(bytes)}); nothing differs but what erasures destroyed.`,
      `Moved: ${counted(moved.length, 'chain')} to ${origin}. Of blocks from before it has ${counted(receipts, 'receipt')} of the log of ${from.origin}.`,
      ...(waiting.length === 0
        ? []
        : [
            `Waiting: ${counted(waiting.length, 'chain')} whose controllers elsewhere must approve. What they are to sign is in ${join(to, 'waiting')}.`,
          ]),
      ...(ended.length === 0
        ? []
        : [`Erased as a whole, and so moved by nobody: ${counted(ended.length, 'chain')}.`]),
      ...(isRegistry ? [] : ['The registry stays where it is: more than half of its members must approve.']),
      `Keep the old data folder, or a backup of it: it has the log of ${from.origin}. It takes no blocks of what moved. Where what moved is erased later, it is to be erased there too.`,
      'Witnesses, monitors and mirrors are to be told of the new log: npx ampere witness list, then docs/OPERATIONS.md, "Move a home".',
      `Next  npx ampere verify --data ${to} --all, then npx ampere start --data ${to}`,
    ],
  )
  return EXIT.ok
}
