// SPDX-License-Identifier: Apache-2.0
import { logOriginOf, witnessNameOf } from '#core/api/log.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { spaced } from '#core/order/spaced.ts'
import type { Now } from '#core/ports/keys.ts'
import type { Platform, Ports } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import { ERASER_NEEDS } from '#core/server/erase.ts'
import type { Home } from '#core/server/home.ts'
import type { KeptHome } from '#core/server/mirror/kept.ts'
import type { WatchedLog } from '#core/server/monitor/needs.ts'
import type { ReceiptLevel } from '#core/server/read/receipt.ts'
import { logKeys } from '#core/server/sequence/tree.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { auditLogNews } from './auditor/news.ts'
import * as auditing from './auditor/open.ts'
import { role as auditor } from './auditor/role.ts'
import * as discovering from './discovery/open.ts'
import { role as discovery } from './discovery/role.ts'
import { eraseFirst, erasingAtOnce } from './eraser/erasing.ts'
import { createFollowing } from './follower/following.ts'
import { role as follower } from './follower/role.ts'
import { createApp, type Hosting, type RoleApp } from './host/app.ts'
import { silentTelemetry } from './host/telemetry.ts'
import { ANYTHING, notBehind, SIGNING } from './host/not-behind.ts'
import { answerTheRest } from './host/operation.ts'
import { bodiesOf, type Serving } from './host/serving.ts'
import * as keeping from './keeper/open.ts'
import { role as keeper } from './keeper/role.ts'
import * as lookingUp from './lookup/open.ts'
import { role as lookup } from './lookup/role.ts'
import { role as monitor } from './monitor/role.ts'
import { createWatching } from './monitor/watching.ts'
import * as reading from './reader/open.ts'
import { role as reader } from './reader/role.ts'
import * as registering from './registrar/open.ts'
import { role as registrar } from './registrar/role.ts'
import { HOME_OPERATIONS, HOME_ROLES, homeDocument } from './roles.ts'
import { newestKnownMs } from './sequencer/known-time.ts'
import { role as sequencer } from './sequencer/role.ts'
import { createLooking, createSequencing, type Sequencing } from './sequencer/sequencing.ts'
import { answering, standingClock, type Reading } from './sequencer/standing-clock.ts'
import { doChores } from './sweeper/chores.ts'
import { role as sweeper } from './sweeper/role.ts'
import * as witnessing from './witness/open.ts'
import { role as witness } from './witness/role.ts'
import type { LogGrowth } from './writer/await-receipt.ts'
import { doJobs } from './worker/app.ts'
import * as working from './worker/open.ts'
import { role as worker } from './worker/role.ts'
import * as writing from './writer/open.ts'
import { role as writer } from './writer/role.ts'

/** Between two looks at the log that are begun for those who look again, in milliseconds. */
const LOOK_AGAIN_MS = 100
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A home that answers, and what it does beside that. */
export interface HomeApp {
  readonly app: RoleApp
  /** Looks after its log: to be called every `SEQUENCE_MS`, and whenever somebody waits. */
  readonly tendLog: () => Promise<void>
  /** Looks at the logs that it monitors: to be called every `MONITOR_MS`. */
  readonly watchLogs: () => Promise<void>
  /** Follows a registry that is at home elsewhere: to be called every `FOLLOW_MS`. */
  readonly follow: () => Promise<void>
  /** Takes on what was asked for and goes on in slices: to be called every `JOBS_MS`. */
  readonly doJobs: () => Promise<void>
  /** Whom audits of the log believe. */
  readonly logTrust: LogTrust
  /** By which it signs. @throws AmpereError CLOCK_SKEW while it does not stand */
  readonly clock: Now
}

/** How a home's log is kept, and what is kept of others. */
export interface LogOptions {
  /** Who must have cosigned before a receipt is witnessed; without one none ever is. */
  readonly policy?: Policy | null
  readonly pause?: (ms: number) => Promise<void>
  /** Milliseconds since any moment by a clock that nobody sets: nothing is signed with a time while the other one has just leapt from it. */
  readonly elapsed?: () => number
  /** A look at both clocks when the process began. */
  readonly began?: Reading
  /** Logs of others that are monitored here; asked each time they are looked at. */
  readonly watched?: () => readonly WatchedLog[]
  /** Homes that are mirrored here; asked each time somebody asks for a copy. */
  readonly mirrored?: () => readonly KeptHome[]
  /** Answers what is asked and does nothing else: no erasure is carried out, nothing is logged, signed or published. */
  readonly looksOnly?: boolean
  /** Institutions whose bridges run in the same process. */
  readonly bridges?: readonly string[]
}

/** A home with all its roles in one process, each still with no more than its own ports. */
export async function homeApp(
  platform: Platform,
  home: Home,
  hosting: Hosting,
  options: LogOptions = {},
): Promise<HomeApp> {
  const {
    policy = null,
    pause = sleep,
    watched = () => [],
    mirrored = () => [],
    looksOnly = false,
    bridges = [],
  } = options
  const eraser = await select(platform, ERASER_NEEDS)
  if (!looksOnly) await eraseFirst(eraser, home, hosting.log)
  const sequencerPorts = await select(platform, sequencer.needs)
  const now = await clockOf(sequencerPorts, home, options)
  const stating = { ...home, dated: answering(now) }
  const sequencing = looksOnly ? createLooking : createSequencing
  const log = sequencing({ ...sequencerPorts, now }, home, policy, hosting)
  const serving: Serving = {
    home: stating,
    hosting,
    policy,
    dated: stating.dated,
    logKeys: logKeys(sequencerPorts, logOriginOf(home.origin)),
    witnessKeys: witnessKeys(await select(platform, witness.needs), witnessNameOf(home.origin)),
    ...describeHome(),
    bridges,
    isLogging: log.isLogging,
    bodies: bodiesOf(platform, hosting),
    carryOut: erasingAtOnce(eraser, stating),
    grow: logGrowth(log, hosting.now),
    pause,
    watched,
    mirrored,
  }
  const jobs = working.openWorker(await select(platform, worker.needs), serving)
  const app = await openApps(platform, serving, notBehind(log.isBehind, looksOnly ? SIGNING : ANYTHING))
  return {
    app,
    watchLogs: await watching(platform, home, hosting, watched),
    follow: looksOnly ? async () => {} : await following(platform, home, hosting),
    logTrust: { keys: serving.logKeys, policy },
    clock: now,
    tendLog: () => tend(log),
    doJobs: () => doJobs(jobs, log.isBehind, hosting),
  }
}

/** All roles that answer, in one app, each with its own ports. */
async function openApps(
  platform: Platform,
  serving: Serving,
  gate: ReturnType<typeof notBehind>,
): Promise<RoleApp> {
  const app = createApp('home', serving.hosting)
  app.use(gate)
  const parts = [
    discovering.open(await select(platform, discovery.needs), serving),
    writing.open(await select(platform, writer.needs), serving),
    reading.open(await select(platform, reader.needs), serving),
    registering.open(await select(platform, registrar.needs), serving),
    auditing.open(await select(platform, auditor.needs), serving),
    witnessing.open(await select(platform, witness.needs), serving),
    lookingUp.open(await select(platform, lookup.needs), serving),
    keeping.open(await select(platform, keeper.needs), serving),
    working.open(await select(platform, worker.needs), serving),
  ]
  for (const part of parts) app.route('/', part)
  answerTheRest(app, Object.values(HOME_OPERATIONS).flat(), serving.hosting)
  return app
}

/** By which clock this home signs. */
async function clockOf(
  ports: Ports<(typeof sequencer)['needs']>,
  home: Home,
  { policy = null, elapsed, began }: LogOptions,
): Promise<Now> {
  if (!elapsed) return ports.now
  return standingClock(ports.now, elapsed, { began, knownMs: await newestKnownMs(ports, home, policy) })
}

/** Looks at the logs that this home monitors. */
async function watching(
  platform: Platform,
  { verifiers }: Home,
  { log, telemetry = silentTelemetry }: Hosting,
  watched: () => readonly WatchedLog[],
): Promise<() => Promise<void>> {
  const watcher = { verifiers, deadline: (ms: number) => AbortSignal.timeout(ms) }
  const watch = createWatching(await select(platform, monitor.needs), watcher, watched, log)
  return () => telemetry.act('monitor', watch)
}

/** Follows the registry of this home where that is at home elsewhere. */
async function following(
  platform: Platform,
  home: Home,
  { log, telemetry = silentTelemetry }: Hosting,
): Promise<() => Promise<void>> {
  const follow = createFollowing(await select(platform, follower.needs), home, log)
  return () => telemetry.act('follow', follow)
}

/** Has the log grow for those who wait for it in this process. */
function logGrowth({ sequence, cosignNews }: Sequencing, now: Now): LogGrowth {
  const looks = spaced(sequence, LOOK_AGAIN_MS, now)
  const then = async (level: ReceiptLevel, look: Promise<void>): Promise<void> => {
    await look
    if (level === 'witnessed') await cosignNews()
  }
  return { now: (level) => then(level, looks.now()), again: (level) => then(level, looks.soon()) }
}

async function tend(log: Sequencing): Promise<void> {
  await log.sequence()
  await log.cosign()
}

/** What a home does on schedule beside answering; to be called every `CHORES_MS`. */
export async function homeChores(
  platform: Platform,
  home: Home,
  hosting: Hosting,
): Promise<() => Promise<void>> {
  const ports = {
    eraser: await select(platform, ERASER_NEEDS),
    sweeper: await select(platform, sweeper.needs),
  }
  const { log, telemetry = silentTelemetry } = hosting
  return () => telemetry.act('chores', () => doChores(ports, home, log, telemetry))
}

/**
 * What audits the log on schedule; to be called every `LOG_AUDIT_MS`, it answers how much was found. Where a process may
 * run for a short time only, `maxSlices` says after how many slices a call ends; the next goes on.
 */
export async function homeLogAudit(
  platform: Platform,
  home: Home,
  logTrust: LogTrust,
  hosting: Hosting,
  maxSlices?: number,
): Promise<() => Promise<number>> {
  const ports = await select(platform, auditor.needs)
  const { log, telemetry = silentTelemetry } = hosting
  telemetry.amount('audit.begun', 0)
  const audit = () => auditLogNews(ports, home, logTrust, log, maxSlices, telemetry)
  return () => telemetry.act('audit-log', audit)
}

/** What the home's public role says of all roles. */
function describeHome(): Pick<Serving, 'roles' | 'document'> {
  let document: string | null = null
  return {
    roles: HOME_ROLES.map((role) => role.name),
    document: () => (document ??= JSON.stringify(homeDocument())),
  }
}
