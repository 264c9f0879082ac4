// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { NamedKeys } from '#core/api/discovery.ts'
import type { BodiesAnswer } from '#core/api/large/upload.ts'
import { MAX_APPEND_BYTES } from '#core/api/limits.ts'
import { LOG_PREFIX, logOriginOf, WITNESS_PREFIX, witnessNameOf } from '#core/api/log.ts'
import { formatVerifierKey, type LogKey } from '#core/log/note/key.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { spaced } from '#core/order/spaced.ts'
import type { Now } from '#core/ports/keys.ts'
import type { ReceiptLevel } from '#core/server/read/receipt.ts'
import type { Home } from '#core/server/home.ts'
import type { Platform, Ports } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import type { KeptHome } from '#core/server/mirror/kept.ts'
import type { WatchedLog } from '#core/server/monitor/needs.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import { logKeys } from '#core/server/sequence/tree.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { carryOutErasures, ERASER_NEEDS, type EraserPorts } from '#core/server/erase.ts'
import * as audits from './auditor/operations.ts'
import { role as auditor } from './auditor/role.ts'
import { auditorApp } from './auditor/app.ts'
import { auditLogNews } from './auditor/news.ts'
import * as discoveries from './discovery/operations.ts'
import { role as discovery } from './discovery/role.ts'
import { discoveryApp } from './discovery/app.ts'
import { createApp, type Hosting, type RoleApp } from './host/app.ts'
import { openApiDocument } from './host/openapi.ts'
import { answerTheRest, type Operation } from './host/operation.ts'
import * as keeping from './keeper/operations.ts'
import { role as keeper } from './keeper/role.ts'
import { keeperApp } from './keeper/app.ts'
import * as lookups from './lookup/operations.ts'
import { role as lookup } from './lookup/role.ts'
import { lookupApp } from './lookup/app.ts'
import { role as monitor } from './monitor/role.ts'
import { createWatching } from './monitor/watching.ts'
import * as holding from './reader/hold-operations.ts'
import * as reads from './reader/operations.ts'
import { role as reader } from './reader/role.ts'
import { readerApp } from './reader/app.ts'
import * as registrations from './registrar/operations.ts'
import { role as registrar } from './registrar/role.ts'
import { registrarApp } from './registrar/app.ts'
import { doChores } from './sweeper/chores.ts'
import { role as sweeper } from './sweeper/role.ts'
import { ANYTHING, notBehind, SIGNING } from './sequencer/not-behind.ts'
import { createLooking, createSequencing, type Sequencing } from './sequencer/sequencing.ts'
import { newestKnownMs } from './sequencer/known-time.ts'
import { answering, standingClock, type Reading } from './sequencer/standing-clock.ts'
import { role as sequencer } from './sequencer/role.ts'
import * as cosigning from './witness/operations.ts'
import { role as witness } from './witness/role.ts'
import { witnessApp } from './witness/app.ts'
import * as writes from './writer/operations.ts'
import * as uploading from './writer/upload-operations.ts'
import { role as writer } from './writer/role.ts'
import type { LogGrowth } from './writer/await-receipt.ts'
import { writerApp } from './writer/app.ts'
import * as jobOperations from './worker/operations.ts'
import { role as worker } from './worker/role.ts'
import { openWorker } from './worker/app.ts'

/** Every role of a home. */
export const HOME_ROLES = [
  discovery,
  writer,
  reader,
  registrar,
  auditor,
  sequencer,
  witness,
  monitor,
  lookup,
  keeper,
  sweeper,
  worker,
] as const

/** Every operation of a home, by role. */
export const HOME_OPERATIONS: Readonly<Record<(typeof HOME_ROLES)[number]['name'], readonly Operation[]>> = {
  discovery: Object.values(discoveries),
  writer: [...Object.values(writes), ...Object.values(uploading)],
  reader: [...Object.values(reads), ...Object.values(holding)],
  registrar: Object.values(registrations),
  auditor: Object.values(audits),
  sequencer: [],
  witness: Object.values(cosigning),
  monitor: [],
  lookup: Object.values(lookups),
  keeper: Object.values(keeping),
  sweeper: [],
  worker: Object.values(jobOperations),
}

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
}

/** A home with all its roles in one process, each still with no more than its own ports. */
export async function homeApp(
  platform: Platform,
  home: Home,
  hosting: Hosting,
  options: LogOptions = {},
): Promise<HomeApp> {
  const { policy = null, pause = sleep, watched = () => [], mirrored = () => [], looksOnly = false } = options
  const eraser = await select(platform, ERASER_NEEDS)
  if (!looksOnly) await eraseFirst(eraser, home, hosting)
  const sequencerPorts = await select(platform, sequencer.needs)
  const witnessPorts = await select(platform, witness.needs)
  const logTrust = { keys: logKeys(sequencerPorts, logOriginOf(home.origin)), policy }
  const now = await clockOf(sequencerPorts, home, options)
  const dated = answering(now)
  const stating = { ...home, dated }
  const sequencing = looksOnly ? createLooking : createSequencing
  const log = sequencing({ ...sequencerPorts, now }, home, policy, hosting)
  const waiting = { policy, grow: logGrowth(log, hosting.now), pause }
  const app = createApp('home', hosting)
  app.use(notBehind(log, looksOnly ? SIGNING : ANYTHING))
  const working = { ...(await select(platform, worker.needs)), now: dated }
  const jobs = openWorker(working, stating, { trust: logTrust, isBehind: log.isBehind }, hosting)
  const parts = [
    discoveryApp(await select(platform, discovery.needs), home, hosting, {
      ...describeHome(),
      isLogging: log.isLogging,
      bodies: bodiesOf(platform, hosting),
      log: namedKeys(home, LOG_PREFIX, logTrust.keys),
      witness: namedKeys(home, WITNESS_PREFIX, witnessKeys(witnessPorts, witnessNameOf(home.origin))),
    }),
    // A block that is admitted by a wrong clock would end its record: none later may be dated before it.
    writerApp({ ...(await select(platform, writer.needs)), now: dated }, eraser, stating, hosting, waiting),
    readerApp(await select(platform, reader.needs), stating, policy, hosting),
    registrarApp(await select(platform, registrar.needs), home, hosting),
    auditorApp(await select(platform, auditor.needs), home, logTrust, hosting),
    witnessApp(witnessPorts, { name: witnessNameOf(home.origin), verifiers: home.verifiers, dated }, hosting),
    lookupApp({ ...(await select(platform, lookup.needs)), now: dated }, hosting),
    keeperApp(await select(platform, keeper.needs), home, mirrored, hosting),
    jobs.app,
  ]
  for (const part of parts) app.route('/', part)
  answerTheRest(app, Object.values(HOME_OPERATIONS).flat(), hosting)
  return {
    app,
    watchLogs: createWatching(await select(platform, monitor.needs), watcherOf(home), watched, hosting.log),
    logTrust,
    clock: now,
    tendLog: () => tend(log),
    doJobs: jobs.doJobs,
  }
}

function watcherOf({ verifiers }: Home) {
  return { verifiers, deadline: (ms: number) => AbortSignal.timeout(ms) }
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
  return () => doChores(ports, home, hosting.log)
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
  return () => auditLogNews(ports, home, logTrust, hosting.log, maxSlices)
}

/** What fits through here. */
function bodiesOf({ uploads }: Platform, { maxRequestBytes, maxAnswerBytes }: Hosting): BodiesAnswer {
  return {
    maxRequestBytes: maxRequestBytes ?? MAX_APPEND_BYTES,
    maxAnswerBytes: maxAnswerBytes ?? null,
    maxUploadBytes: uploads?.maxBytes ?? null,
  }
}

/** What the home's public role says of all roles. */
function describeHome(): { readonly roles: readonly string[]; readonly document: () => string } {
  let document: string | null = null
  return {
    roles: HOME_ROLES.map((role) => role.name),
    document: () => (document ??= JSON.stringify(homeDocument())),
  }
}

/** Keys with their one name, and where what they sign is served. */
function namedKeys({ origin }: Home, prefix: string, keys: readonly LogKey[]): NamedKeys {
  return { name: keys[0]?.name ?? '', url: `${origin}${prefix}`, keys: keys.map(formatVerifierKey) }
}

/** The OpenAPI document of a home, the same wherever it runs. */
export function homeDocument(): object {
  return openApiDocument(HOME_OPERATIONS)
}

/**
 * A restored store must erase again before it serves anything. One damaged record must not stop all others:
 * its erasure waits, and is said in the log and by every audit.
 */
async function eraseFirst(eraser: EraserPorts, home: Home, hosting: Hosting): Promise<void> {
  try {
    await carryOutErasures(eraser, home)
  } catch (error) {
    if (!isAmpereError(error, 'STORE_CORRUPT')) throw error
    hosting.log({ event: 'erasure-waits', code: error.code })
  }
}
