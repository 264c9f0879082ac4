// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs'
import { Hono } from 'hono'
import { AmpereError } from '#core/errors.ts'
import { bridgeApp } from '#functions/bridge/app.ts'
import { checkAll } from '#functions/checker/check-all.ts'
import { listen } from '#functions/host/node.ts'
import { jsonLog, silentLog, type Log } from '#functions/host/telemetry.ts'
import { EXIT, print, say, type Common } from '../terminal/output.ts'
import { setUp } from '../deployment/set-up.ts'
import { dataFolder, readSettings, writeSettings, type Settings } from '../deployment/settings.ts'
import { playStory } from '../demo/story.ts'
import { verifyChain } from '../proof/verify-chain.ts'
import { openBridge, type OpenBridge } from '../deployment/bridge.ts'
import { isRunning, openHome } from '../deployment/home.ts'

export interface StartOptions extends Common {
  readonly demo?: boolean
  readonly port?: string
  readonly log?: boolean
  /** Set up, tell the story, and end: for tests and scripts. */
  readonly once?: boolean
}

export const DEFAULT_PORT = 7310
/** How often readings are entered in the access chains; the promise is within 60 s. */
const FLUSH_MS = 15_000
/** How often every record is checked again, for what was filed elsewhere meanwhile. */
const CHECK_MS = 3_600_000
const DEMO_INSTITUTIONS = [
  { id: 'hospital-a', name: 'Hospital A' },
  { id: 'hospital-b', name: 'Hospital B' },
  { id: 'clinic-c', name: 'Clinic C' },
]

/** Sets up on first use, then serves the home and the demo's bridges on 127.0.0.1. */
export async function start(options: StartOptions): Promise<number> {
  const started = performance.now()
  const folder = dataFolder(options.data)
  const known = readSettings(folder)
  if (known && (await isRunning(known))) {
    throw new AmpereError('STORE_LOCKED', `this deployment is already served at ${known.origin}`)
  }
  if (!known && options.demo !== true) {
    throw new AmpereError('CONFIGURATION', 'there is no deployment in this folder; --demo makes one to try')
  }
  const settings = known ?? (await setUpDemo(folder, options))
  const log =
    options.log === true
      ? jsonLog(
          (line) => process.stderr.write(`${line}\n`),
          () => Date.now(),
        )
      : silentLog
  const home = await openHome(folder, settings, log)
  const hosting = { now: () => Date.now(), random: home.platform.random, log }
  const root = new Hono()
  const bridges: OpenBridge[] = []
  for (const id of settings.institutions) {
    const open = await openBridge(folder, settings, id, home.fetch)
    bridges.push(open)
    root.route(`/${id}`, bridgeApp(open.bridge, hosting))
  }
  root.route('/', home.app)
  const current = options.demo === true ? await tellStory(folder, settings, bridges, options) : settings
  await report(options, current, bridges, performance.now() - started)
  const close = async () => {
    await flushAll(bridges)
    for (const open of bridges) await open.close()
    await home.platform.close()
  }
  if (options.once === true) {
    await close()
    return EXIT.ok
  }
  await serve(options, settings, root, bridges, log)
  await close()
  say(options, 'Stopped. Everything that was acknowledged is kept.')
  return EXIT.ok
}

async function serve(
  options: StartOptions,
  settings: Settings,
  root: Hono,
  bridges: readonly OpenBridge[],
  log: Log,
): Promise<void> {
  const server = await listen((request) => root.fetch(request), Number(new URL(settings.origin).port), false)
  say(options, `Open  ${settings.origin}/.well-known/ampere    Stop  Ctrl+C`)
  await serveUntilStopped(bridges, log)
  await server.close()
}

async function setUpDemo(folder: string, options: StartOptions): Promise<Settings> {
  say(options, 'First run: making keys and a demo registry')
  const wanted = Number(options.port ?? DEFAULT_PORT)
  // The origin is signed into the registry, so the free port is looked for now and kept.
  const probe = await listen(() => new Response(null), wanted, options.port === undefined)
  const { port } = probe
  await probe.close()
  return setUp(folder, { origin: `http://127.0.0.1:${port}`, institutions: DEMO_INSTITUTIONS, demo: true })
}

async function tellStory(
  folder: string,
  settings: Settings,
  bridges: readonly OpenBridge[],
  options: StartOptions,
): Promise<Settings> {
  if (settings.demo) return settings
  const [a, b] = bridges
  if (!a || !b) throw new AmpereError('CONFIGURATION', 'the demo needs its two hospitals')
  const told = await playStory(folder, a, b, (step) => say(options, `  ${step}`))
  for (const { hospital, report: result, ms } of told.imports) {
    const rate = Math.round((result.filed.length / ms) * 1000)
    say(
      options,
      `  ${hospital}: ${result.filed.length} resources filed in ${seconds(ms)} (${rate}/s), ${result.quarantined.length} in quarantine`,
    )
  }
  const next = { ...settings, demo: { record: told.record, patient: told.patient } }
  writeSettings(folder, next)
  return next
}

async function report(
  options: StartOptions,
  settings: Settings,
  bridges: readonly OpenBridge[],
  ms: number,
): Promise<void> {
  const [a] = bridges
  if (!settings.demo || !a) {
    print(options, { ok: true, origin: settings.origin }, [`Ampere 0.1.0, ready in ${seconds(ms)}`])
    return
  }
  const verified = await verifyChain(a.connection, settings.demo.record)
  const { projection } = await a.bridge.record(settings.demo.patient)
  const findings = projection.findings.map(
    (finding) => `    ${String(finding['severity'])}: ${String(finding['title'])}`,
  )
  const summary = {
    institutions: 2,
    resources: projection.resources.size,
    blocks: verified.blocks,
    findings: projection.findings.length,
  }
  print(
    options,
    { ok: verified.problems.length === 0, origin: settings.origin, ...summary, record: settings.demo.record },
    [
      `Ampere 0.1.0, demo data, this computer only, ready in ${seconds(ms)}`,
      `  2 hospitals, 1 patient, ${summary.resources} resources, ${summary.blocks} blocks, verified in ${seconds(verified.ms)}, ${verified.erased} erased`,
      `  ${summary.findings} problems found in the data:`,
      ...findings,
      '  No witness yet: receipts come with the transparency log.',
      `Try   curl '${settings.origin}/hospital-b/fhir/Patient/${settings.demo.patient}/$everything?_count=3'`,
      '      npx ampere verify --all',
      '      npx ampere demo tamper && npx ampere verify --all    (damages the demo data: see what is found)',
    ],
  )
}

/** Serves until Ctrl+C, entering readings in the access chains meanwhile. */
async function serveUntilStopped(bridges: readonly OpenBridge[], log: Log): Promise<void> {
  const timer = setInterval(() => void flushAll(bridges), FLUSH_MS)
  const checks = setInterval(() => void checkEach(bridges, log), CHECK_MS)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
  clearInterval(timer)
  clearInterval(checks)
}

async function checkEach(bridges: readonly OpenBridge[], log: Log): Promise<void> {
  for (const { bridge } of bridges) await checkAll(bridge, log)
}

/** Enters all readings; one that fails is said, and kept for the next try. */
async function flushAll(bridges: readonly OpenBridge[]): Promise<void> {
  for (const open of bridges) {
    try {
      await open.access.flush()
    } catch (error) {
      process.stderr.write(
        `access log of ${open.institution.id}: ${error instanceof Error ? error.message : 'failed'}\n`,
      )
    }
  }
}

/** Deletes the demo's data folder. */
export async function resetDemo(options: Common & { readonly confirm?: string }): Promise<number> {
  const folder = dataFolder(options.data)
  const settings = readSettings(folder)
  if (!settings) {
    print(options, { ok: true, removed: false }, ['There is no demo in this folder.'])
    return EXIT.ok
  }
  if (!settings.demo)
    throw new AmpereError('CONFIGURATION', 'this folder does not hold the demo; nothing was removed')
  if (await isRunning(settings)) throw new AmpereError('STORE_LOCKED', 'stop the running server first')
  if (existsSync(folder)) rmSync(folder, { recursive: true })
  print(options, { ok: true, removed: true }, ['The demo data were removed. npm start makes them anew.'])
  return EXIT.ok
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
