// SPDX-License-Identifier: Apache-2.0
import { noDeployment } from '../../deployment/deployment-of.ts'
import { homeKeyFile, keyFileOf } from '../../deployment/files.ts'
import { makePassphrase, readPassphrase } from '../../deployment/passphrase.ts'
import { findRunning } from '../../deployment/running.ts'
import { dataFolder, readSettings, type Settings } from '../../deployment/settings.ts'
import type { DemoWitness } from '../../demo/witness/launch.ts'
import { checkNotLeft } from '../../migrate/note.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import type { StartOptions } from './opening.ts'

const DEMO_INSTITUTIONS = [
  { id: 'hospital-a', name: 'Hospital A' },
  { id: 'hospital-b', name: 'Hospital B' },
  { id: 'clinic-c', name: 'Clinic C' },
]

/** Sets the demo up on first use, then serves the home and its institutions' bridges on 127.0.0.1. */
export async function start(call: Call<StartOptions>): Promise<number> {
  const { screen, options } = call
  const startedMs = screen.terminal.now()
  const folder = dataFolder(options.data, screen.terminal.env)
  const known = readSettings(folder)
  screen.say(known ? `Opening ${folder}` : `There is no deployment in ${folder} yet`)
  if (known) await checkStartable(known, options)
  if (known) checkNotLeft(folder)
  // Keys are stretched on other threads while this one loads the code that serves.
  const serving = import('./serve.ts')
  const settings = known ?? (await setUpDemo(call, folder))
  const text = await readPassphrase(folder, settings.passphrase, options, screen)
  const files = settings.institutions.map((id) => keyFileOf(folder, id))
  const witness = await demoWitness(folder, settings, options)
  try {
    const { stretchAhead } = await import('#adapters/local/keys/key-file.ts')
    const stretching = stretchAhead(text, [homeKeyFile(folder), ...files])
    const [{ serve }, passphrase] = await Promise.all([serving, stretching])
    return await serve(call, { folder, settings, passphrase, startedMs, witness })
  } finally {
    await witness?.close()
  }
}

/** A demo has a witness in a process of its own, so that it can be seen how receipts become witnessed. */
async function demoWitness(
  folder: string,
  { demo, origin }: Settings,
  { witness }: StartOptions,
): Promise<DemoWitness | null> {
  if (demo === null || witness === false) return null
  const { launchWitness } = await import('../../demo/witness/launch.ts')
  return launchWitness(folder, origin)
}

async function checkStartable(settings: Settings, options: StartOptions): Promise<void> {
  if (settings.elsewhere === true) {
    const { homeElsewhere } = await import('../../open/home.ts')
    throw homeElsewhere(settings)
  }
  if (options.demo === true && settings.demo === null) {
    const message = 'this folder holds a real deployment, and the demo is never mixed with one'
    throw refuse('CONFIGURATION', message, 'npx ampere start, or another folder for the demo: --data FOLDER')
  }
  if (options.port !== undefined && options.port !== Number(new URL(settings.origin).port)) {
    throw refuse(
      'CONFIGURATION',
      `the origin ${settings.origin} is signed into the registry; its port cannot change`,
      'leave --port out, or set up another deployment: --data FOLDER',
    )
  }
  if (await findRunning(settings)) {
    throw refuse('STORE_LOCKED', `this deployment is served at ${settings.origin} already`)
  }
}

async function setUpDemo(call: Call<StartOptions>, folder: string): Promise<Settings> {
  const { screen, options } = call
  if (options.demo !== true) {
    throw noDeployment(folder)
  }
  const [{ setUp }, { choosePort }] = await Promise.all([
    import('../../deployment/set-up.ts'),
    import('../../deployment/port.ts'),
  ])
  screen.say('First run: making keys and a demo registry')
  screen.stopping.keeps(() => 'Nothing was set up. npm start begins anew.')
  const origin = `http://127.0.0.1:${await choosePort(options.port)}`
  const passphrase = { kind: 'generated' as const }
  const what = { origin, institutions: DEMO_INSTITUTIONS, demo: true, passphrase }
  return setUp(folder, what, (place) => makePassphrase(place, passphrase, screen))
}
