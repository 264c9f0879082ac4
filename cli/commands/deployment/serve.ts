// SPDX-License-Identifier: Apache-2.0
import { Hono } from 'hono'
import type { Connection } from '#core/client/connect.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Platform } from '#core/ports/needs.ts'
import { LOG_AUDIT_MS } from '#functions/auditor/news.ts'
import { homeChores, homeLogAudit } from '#functions/all.ts'
import { byStandingClock, createMirroring, MIRROR_MS, type Mirroring } from '#functions/mirror/mirroring.ts'
import { bridgeApp } from '#functions/bridge/app.ts'
import { loopbackLogin } from '#core/bridge/token/login.ts'
import { checkAll } from '#functions/checker/check-all.ts'
import { rotateDue } from '#functions/checker/rotate-due.ts'
import { FOLLOW_MS } from '#functions/follower/following.ts'
import type { Hosting } from '#functions/host/app.ts'
import { listen } from '#functions/host/node.ts'
import { jsonLog, silentLog, type Log } from '#functions/host/telemetry.ts'
import { MONITOR_MS } from '#functions/monitor/watching.ts'
import { SEQUENCE_MS } from '#functions/sequencer/sequencing.ts'
import { CHORES_MS } from '#functions/sweeper/chores.ts'
import { JOBS_MS } from '#functions/worker/app.ts'
import { playStory } from '../../demo/story.ts'
import { writeSettings, type Settings } from '../../deployment/settings.ts'
import { reasonOf } from '../data/reason.ts'
import { connectInstitution, openBridge, type OpenBridge } from '../../open/bridge.ts'
import { openMirrored } from '../../open/mirror.ts'
import { openHome, PROCESS_CLOCK, type OpenHome } from '../../open/home.ts'
import { createLazyValidator } from '../../open/validator.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { withPlace } from '../../terminal/hints.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { counted, duration } from '../../terminal/words.ts'
import { withAlarms } from './alarms.ts'
import { reportStart } from './report.ts'
import { openTelemetry } from './telemetry.ts'
import type { Opening, StartOptions } from './opening.ts'

/** How often readings are entered in the access chains; the promise is within 60 s. */
const FLUSH_MS = 15_000
/** How often every record is checked again, for what was filed elsewhere meanwhile. */
const CHECK_MS = 3_600_000
/** How often records get new keys where they are due, and for how long at a time. */
const ROTATE_MS = 15_000
/** What follows where a demo's witness is gone. */
const UNWITNESSED =
  'What is logged from now on is not witnessed; stop with Ctrl+C, npm start starts it again.'
/** Requests for data that the server still answers when it is asked to stop. */
const WRITES = ['POST', 'PUT']

/** Opens everything, tells the demo's story once, and serves until Ctrl+C. */
export async function serve(call: Call<StartOptions>, opening: Opening): Promise<number> {
  const { screen, options } = call
  const alarms: string[] = []
  const log = withAlarms(logOf(screen, options), (line) => {
    alarms.push(line)
    screen.say(withPlace(line, options))
  })
  const { folder, passphrase, witness } = opening
  const prepare = async (platform: Platform) => witness?.introduce(platform)
  const measured = await openTelemetry(screen, options.otlp, log)
  const home = await openHome(folder, opening.settings, passphrase, log, { prepare, measured })
  const bridges: OpenBridge[] = []
  const close = async () => {
    await flushAll(bridges, screen)
    for (const open of bridges) await open.close()
    await home.tendLog()
    await home.platform.close()
    await measured?.close()
  }
  const closed = screen.stopping.closes(close)
  try {
    await openBridges(opening, home, bridges, screen)
    const telemetry = measured ? { telemetry: measured.telemetry } : {}
    const hosting = { now: screen.terminal.now, random: home.platform.random, log, ...telemetry }
    const settings = await toldDemo(opening, bridges, call)
    const told = settings !== opening.settings
    const server = options.once === true ? null : await listenAt(call, settings, home, bridges, hosting)
    const ok = await reportStart(
      call,
      { ...opening, settings },
      home,
      bridges,
      told ? freshConnection(settings, home, bridges) : null,
      () => alarms.length > 0,
    )
    if (!server) return ok ? EXIT.ok : EXIT.verification
    void witness?.ended.then(() => screen.say(`The witness ended. ${UNWITNESSED}`))
    const scheduled = await scheduledFor(home, hosting)
    const mirrored = await openMirrored(opening.folder, settings.origin, home.platform, opening.passphrase)
    const clocks = { now: home.platform.now, ...PROCESS_CLOCK }
    const mirroring = createMirroring(byStandingClock(mirrored, clocks), log)
    await mirroringWhile(mirroring, screen, () => untilStopped(home, bridges, screen, log, scheduled))
    await server.close()
    screen.say('Stopped. Everything that was acknowledged is kept.')
    return EXIT.ok
  } finally {
    closed()
    await close()
  }
}

/** Mirrors on schedule until `act` ends. */
async function mirroringWhile(
  mirroring: Mirroring,
  { terminal }: Screen,
  act: () => Promise<void>,
): Promise<void> {
  // What a home acknowledges until the first run can be lost with it.
  void mirroring.run()
  const stop = terminal.every(MIRROR_MS, () => void mirroring.run())
  await act()
  stop()
  // A run that is under way uses the stores that are closed next.
  await mirroring.ended()
}

/** After the story the first bridge knows the record already; verifying it anew needs one that does not. */
function freshConnection(settings: Settings, home: OpenHome, [a]: readonly OpenBridge[]): Connection | null {
  return a ? connectInstitution(a.institution, settings, home.fetch) : null
}

/** Opens the bridge of every institution that can act. */
async function openBridges(
  opening: Opening,
  home: OpenHome,
  bridges: OpenBridge[],
  screen: Screen,
): Promise<void> {
  const context = { ...opening, fetch: home.fetch, validator: createLazyValidator(), beside: false }
  for (const id of opening.settings.institutions) {
    try {
      bridges.push(await openBridge(context, id))
    } catch (error) {
      if (!isAmpereError(error, 'KEY_UNAVAILABLE')) throw error
      screen.say(`${id} is not served: ${error.message}`)
    }
  }
}

async function listenAt(
  { options }: Call<StartOptions>,
  settings: Settings,
  home: OpenHome,
  bridges: readonly OpenBridge[],
  hosting: Hosting,
) {
  const root = new Hono()
  for (const open of bridges) {
    const app = new Hono()
    app.use(async (c, next) => {
      if (WRITES.includes(c.req.method) && !c.req.path.includes('/oauth/')) await open.prepare()
      await next()
    })
    const { store } = open.bridge.ports
    const login = options.requireLogin === true ? open.login : loopbackLogin(open.login, store)
    app.route('/', bridgeApp(open.bridge, hosting, login))
    root.route(`/${open.institution.id}`, app)
  }
  root.route('/', home.app)
  const port = Number(new URL(settings.origin).port)
  try {
    return await listen((request) => root.fetch(request), port, false)
  } catch (error) {
    if (!isAmpereError(error, 'PORT_IN_USE')) throw error
    const message = `port ${port} is in use by something else, and ${settings.origin} is signed into the registry`
    throw refuse('PORT_IN_USE', message, 'end what uses the port, then npx ampere start', error)
  }
}

/** Tells the demo's story where it was not told to its end yet. */
async function toldDemo(
  { folder, settings, passphrase }: Opening,
  bridges: readonly OpenBridge[],
  { screen }: Call<StartOptions>,
): Promise<Settings> {
  if (settings.demo === null || settings.demo.record !== null) return settings
  const [a, b] = bridges
  if (!a || !b) throw refuse('CONFIGURATION', 'the demo needs its two hospitals', 'npx ampere demo reset')
  screen.stopping.keeps(() => 'What was told of the demo so far is kept. npm start goes on with it.')
  const told = await playStory(folder, passphrase.text, [a, b], (step) => screen.say(`  ${step}`))
  for (const { hospital, report, ms } of told.imports) {
    const { filed, quarantined } = report
    screen.say(
      `  ${hospital}: ${filed.length} resources filed in ${duration(ms)}, ${quarantined.length} in quarantine`,
    )
    for (const item of quarantined)
      screen.say(
        `    entry ${item.position}: ${reasonOf(item)} (meant so: the demo shows that it is kept out)`,
      )
  }
  const next = { ...settings, demo: { record: told.record, patient: told.patient } }
  writeSettings(folder, next)
  return next
}

/** What a home does on schedule beside looking after its log. */
interface Scheduled {
  readonly chores: () => Promise<void>
  readonly auditLog: () => Promise<number>
}

async function scheduledFor({ platform, home, logTrust }: OpenHome, hosting: Hosting): Promise<Scheduled> {
  return {
    chores: await homeChores(platform, home, hosting),
    auditLog: await homeLogAudit(platform, home, logTrust, hosting),
  }
}

/** Whoever runs the home must know, with --log or without. */
async function auditLogAloud(auditLog: () => Promise<number>, screen: Screen): Promise<void> {
  const found = await auditLog()
  if (found > 0)
    screen.say(`The log is damaged: ${counted(found, 'finding')}. Next: npx ampere audit --stores`)
}

/** Serves until Ctrl+C, entering readings in the access chains and doing the home's chores meanwhile. */
async function untilStopped(
  home: OpenHome,
  bridges: readonly OpenBridge[],
  screen: Screen,
  log: Log,
  { chores, auditLog }: Scheduled,
): Promise<void> {
  const { every } = screen.terminal
  const cancels = [
    every(FLUSH_MS, () => void flushAll(bridges, screen)),
    every(CHORES_MS, () => void sweepMarks(bridges, log)),
    every(CHECK_MS, () => void checkEach(bridges, log)),
    every(ROTATE_MS, () => void rotateEach(bridges, home.platform.now() + ROTATE_MS, log)),
    every(CHORES_MS, () => void chores()),
    every(LOG_AUDIT_MS, () => void auditLogAloud(auditLog, screen)),
    every(SEQUENCE_MS, () => void home.tendLog()),
    every(MONITOR_MS, () => void home.watchLogs()),
    every(FOLLOW_MS, () => void home.follow()),
    every(JOBS_MS, () => void home.doJobs()),
  ]
  // What was revoked while nothing ran here.
  void home.follow()
  // What the first request that files something needs, loaded while nobody waits for it.
  for (const open of bridges.slice(0, 1)) void open.prepare()
  await screen.stopping.untilStopped()
  for (const cancel of cancels) cancel()
}

async function checkEach(bridges: readonly OpenBridge[], log: Log): Promise<void> {
  for (const { bridge } of bridges) await checkAll(bridge, log)
}

/** What fails is tried again the next time; a round that goes on is known by its turn. */
async function rotateEach(bridges: readonly OpenBridge[], endMs: number, log: Log): Promise<void> {
  for (const { rotation } of bridges)
    await rotateDue(rotation, log, endMs).catch((error: unknown) =>
      log({
        event: 'rotation-failed',
        role: 'bridge',
        code: isAmpereError(error) ? error.code : 'UNEXPECTED',
      }),
    )
}

/** Removes what is past of assertions and tokens; what fails is tried again the next time. */
async function sweepMarks(bridges: readonly OpenBridge[], log: Log): Promise<void> {
  for (const { bridge } of bridges)
    await bridge.ports.store.sweepMarks().catch((error: unknown) =>
      log({
        event: 'sweep-failed',
        role: 'bridge',
        code: isAmpereError(error) ? error.code : 'UNEXPECTED',
      }),
    )
}

/** Enters all readings; one that fails is said, and kept for the next try. */
async function flushAll(bridges: readonly OpenBridge[], screen: Screen): Promise<void> {
  for (const open of bridges) {
    try {
      await open.access.flush()
    } catch (error) {
      const why = isAmpereError(error) ? error.message : 'failed'
      screen.say(`The access log of ${open.institution.id} has to wait: ${why}`)
    }
  }
}

function logOf({ terminal }: Screen, options: StartOptions): Log {
  return options.log === true ? jsonLog((line) => terminal.err.write(`${line}\n`), terminal.now) : silentLog
}
