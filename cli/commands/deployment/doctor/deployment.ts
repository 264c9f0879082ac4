// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SCHEMA_VERSION } from '#adapters/local/store/database.ts'
import { stretchAhead } from '#adapters/local/keys/key-file.ts'
import { openKeyring } from '#adapters/local/keys/keyring.ts'
import { CLOCK_TOLERANCE_MS } from '#core/api/limits.ts'
import { isAmpereError } from '#core/errors.ts'
import { homeKeyFile, keyFileOf } from '../../../deployment/files.ts'
import { lockHolder } from '../../../deployment/lock-holder.ts'
import { passphraseFileIn, readPassphrase } from '../../../deployment/passphrase.ts'
import { readPolicy } from '../../../open/policy.ts'
import { answersAs, findRunning, isListening, type RunningHome } from '../../../deployment/running.ts'
import { SETTINGS_VERSION, type Settings } from '../../../deployment/settings.ts'
import type { Call } from '../../../program/command.ts'
import { HOME_DAMAGED, HOME_LOST } from '../../../program/damaged.ts'
import { counted } from '../../../terminal/words.ts'
import { VERSION } from '../../../version.ts'
import { note, ok, wrong, type Check } from './check.ts'
import { checkDataFiles } from './data-files.ts'
import { checkLog } from './log.ts'
import { mayWrite } from './machine.ts'
import { checkOthers } from './others.ts'
import { checkRotation } from './rotation.ts'

/** Everything that can be looked at without changing anything, of a folder with a deployment. */
export async function checkDeployment(
  call: Call,
  folder: string,
  settings: Settings,
): Promise<readonly Check[]> {
  if (settings.elsewhere === true) return checkEnrolled(call, folder, settings)
  const running = await findRunning(settings)
  return [
    checkVersions(folder),
    ...checkDataFiles(folder, settings),
    await checkPassphrase(call, folder, settings),
    ...checkPolicy(folder, settings),
    checkServing(folder, settings, running),
    await checkPort(folder, settings, running),
    checkClock(running),
    ...(await checkLog(folder, settings, running !== null)),
    ...(await checkOthers(folder)),
    ...(await checkRotation(folder, settings)),
  ]
}

/** A machine that was enrolled has keys of app instances, and no home. */
async function checkEnrolled(call: Call, folder: string, settings: Settings): Promise<readonly Check[]> {
  const home = await answersAs(settings, fetch)
  return [
    ...checkDataFiles(folder, settings),
    await checkPassphrase(call, folder, settings),
    home
      ? ok('Home', `${settings.origin} answers`)
      : wrong('Home', `${settings.origin} does not answer`, 'look whether it runs, and is reached from here'),
    ...(home ? [checkClock(home)] : []),
  ]
}

function checkVersions(folder: string): Check {
  const says = `Ampere ${VERSION}, settings ${SETTINGS_VERSION}, data `
  const file = join(folder, 'home', 'ampere.db')
  if (!existsSync(file)) return wrong('Versions', `${file} is not there`, HOME_LOST)
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
      return version > SCHEMA_VERSION
        ? wrong('Versions', `${says}${version}, which is newer than this software`, 'update Ampere')
        : ok('Versions', `${says}${version}`)
    } finally {
      db.close()
    }
  } catch {
    // SQLite makes files beside the database even to read it.
    if (!mayWrite(dirname(file)))
      return note('Versions', `${file} is not looked at in a folder that cannot be written`)
    return wrong('Versions', `${file} cannot be read`, HOME_DAMAGED)
  }
}

/** Nothing is said where there is no policy: that is no fault. */
function checkPolicy(folder: string, settings: Settings): readonly Check[] {
  try {
    const policy = readPolicy(folder, settings.origin)
    if (!policy) return []
    const witnesses = counted(policy.witnesses.length, 'key')
    return [ok('Policy', `${witnesses} of witnesses, quorum ${policy.quorum ?? 'none'}`)]
  } catch (error) {
    const says = error instanceof Error ? error.message : 'cannot be read'
    return [wrong('Policy', says, 'correct or remove policy.txt: a home does not start with it')]
  }
}

async function checkPassphrase(call: Call, folder: string, settings: Settings): Promise<Check> {
  const { kind } = settings.passphrase
  const given = call.options.passphraseFile ?? passphraseFileIn(call.screen.terminal.env)
  const from = given === undefined ? kind : 'file'
  if (from === 'prompt' && !call.screen.canAsk) {
    return note(
      'Passphrase',
      'asked for each time; not tried, for there is nobody to ask',
      '--passphrase-file FILE',
    )
  }
  const files = [homeKeyFile(folder), ...settings.institutions.map((id) => keyFileOf(folder, id))].filter(
    (file) => existsSync(file),
  )
  try {
    const text = await readPassphrase(folder, settings.passphrase, call.options, call.screen)
    const stretched = await stretchAhead(text, files)
    for (const file of files)
      openKeyring(file, stretched, (length) => crypto.getRandomValues(new Uint8Array(length)))
    return ok('Passphrase', `${from}: opens ${files.length} key files`)
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return wrong('Passphrase', `${from}: ${error.message}`, 'give the right one: --passphrase-file FILE')
  }
}

function checkServing(folder: string, settings: Settings, running: RunningHome | null): Check {
  const holder = lockHolder(folder)
  if (running) return ok('Serving', `${settings.origin}${holder ? `, process ${holder.pid}` : ''}`)
  if (!holder) return ok('Serving', 'no; the folder is free (npx ampere start serves it)')
  return holder.isAlive
    ? wrong(
        'Serving',
        `process ${holder.pid} holds the folder and does not answer at ${settings.origin}`,
        `wait a moment, or end process ${holder.pid}`,
      )
    : note(
        'Serving',
        `no; process ${holder.pid}, which is gone, left its lock: the next one takes the folder over`,
      )
}

async function checkPort(folder: string, settings: Settings, running: RunningHome | null): Promise<Check> {
  const { port, hostname } = new URL(settings.origin)
  if (running) return ok('Port', `${port}, ours`)
  if (lockHolder(folder)?.isAlive === true)
    return note('Port', `${port}; whoever holds the folder may be about to serve there`)
  return (await isListening(hostname, Number(port)))
    ? wrong(
        'Port',
        `${port} is used by something else, and the origin is signed into the registry`,
        'end what uses the port',
      )
    : ok('Port', `${port}, free`)
}

/** A home accepts times that are within two minutes of its own. */
function checkClock(running: RunningHome | null): Check {
  if (!running) return note('Clock', 'not compared: nothing is served')
  const seconds = Math.round(running.clockAheadMs / 1000)
  const says =
    seconds === 0
      ? "as the home's"
      : `the home's is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`
  return Math.abs(running.clockAheadMs) < CLOCK_TOLERANCE_MS - 1000
    ? ok('Clock', says)
    : wrong('Clock', says, 'set the clock: times more than two minutes apart are refused')
}
