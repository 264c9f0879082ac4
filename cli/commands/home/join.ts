// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stretchAhead } from '#adapters/local/keys/key-file.ts'
import { keychainOf } from '#adapters/local/keys/keychain.ts'
import { asDigest } from '#core/bytes/ids.ts'
import { keyFileOf } from '../../deployment/files.ts'
import { readPassphrase } from '../../deployment/passphrase.ts'
import { choosePort } from '../../deployment/port.ts'
import { actingInstitution, type ActingOptions } from '../../deployment/session.ts'
import { checkFree } from '../../deployment/set-up.ts'
import { dataFolder, readSettings, type PassphraseSource } from '../../deployment/settings.ts'
import { joinRegistry } from '../../home/join-registry.ts'
import { originArgument } from '../../mirror/other-home.ts'
import { readMembers } from '../../open/membership.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'

interface JoinOptions extends ActingOptions {
  readonly registry?: string
  readonly from?: string
  readonly port?: number
}

/** Sets up a home here for a registry that is at home elsewhere, as one of its members. Never overwrites. */
export async function joinHomeOfRegistry(call: Call<JoinOptions>): Promise<number> {
  const { screen, options } = call
  const at = originArgument(call.args[0] ?? '')
  const registry = registryArgument(options.registry)
  const folder = dataFolder(options.data, screen.terminal.env)
  checkFree(folder)
  const from = resolve(options.from ?? '')
  const known = options.from === undefined ? null : readSettings(from)
  if (!known) {
    const isMember = options.from !== undefined && readMembers(from).length > 0
    throw isMember
      ? refuse(
          'UNSUPPORTED',
          `${from} has keys that institution new made, and no deployment: no second home is made from it yet`,
        )
      : usage("give --from FOLDER, a data folder that has the institution's keys")
  }
  if (from === folder) throw usage('give the new home a data folder of its own: --data FOLDER')
  const institution = actingInstitution(known, options)
  const text = await readPassphrase(from, known.passphrase, options, screen)
  const passphrase = await stretchAhead(text, [keyFileOf(from, institution)])
  const origin = `http://127.0.0.1:${await choosePort(options.port)}`
  screen.stopping.keeps(
    () =>
      'Nothing was set up here. Whether the home was entered in the registry does not matter: the same command goes on.',
  )
  const settings = await joinRegistry(
    folder,
    { origin, at, registry, institution, from, passphrase: known.passphrase },
    passphrase,
    (staging) => keepPassphrase(staging, known.passphrase, text),
  )
  const { deployment } = settings
  screen.print({ ok: true, folder, origin, registry, deployment, institution, home: at }, [
    `Set up in ${folder}: ${deployment} of ${institution}, at ${origin}`,
    `  Registry    ${registry}, at home at ${at}; it was verified from its first block, and is followed from the next start on`,
    `  Keys        those of ${institution} are here and in ${from}, under the same passphrase`,
    'Next: npx ampere start',
  ])
  return EXIT.ok
}

function registryArgument(text: string | undefined) {
  if (text === undefined)
    throw usage('give --registry ID, as its members say it: what an origin answers says nothing of who it is')
  try {
    return asDigest(text)
  } catch {
    throw usage(`${text.slice(0, 80)} is no id of a registry`)
  }
}

/** The key file is opened by the passphrase that it has, so the new folder keeps that one, in the same way. */
async function keepPassphrase(staging: string, source: PassphraseSource, text: string): Promise<void> {
  if (source.kind === 'generated')
    writeFileSync(join(staging, 'passphrase'), `${text}\n`, { mode: 0o600, flag: 'wx' })
  if (source.kind === 'keychain') await keychainOf(staging).set(text)
}
