// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprintOf } from '#core/client/devices/keys.ts'
import { makeFolder } from '../../deployment/files.ts'
import {
  makePassphrase,
  passphraseSourceOf,
  readPassphrase,
  type PassphraseOptions,
} from '../../deployment/passphrase.ts'
import { dataFolder, readSettings } from '../../deployment/settings.ts'
import { openDeviceKeys, readDevice, writeDevice } from '../../device/folder.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

/** Makes the keys of a patient's device in a folder of its own. Never overwrites. */
export async function newDevice(call: Call<Common & PassphraseOptions>): Promise<number> {
  const { screen, options } = call
  const folder = dataFolder(options.data, screen.terminal.env)
  if (readSettings(folder) ?? readDevice(folder))
    throw refuse('ALREADY_EXISTS', `${folder} is in use already`, 'npx ampere device new --data FOLDER')
  const passphrase = passphraseSourceOf(options)
  makeFolder(folder)
  // One that was begun and not finished has its passphrase already.
  const isBegun = passphrase.kind === 'generated' && existsSync(join(folder, 'passphrase'))
  const text =
    isBegun || options.passphraseFile === '-'
      ? await readPassphrase(folder, passphrase, options, screen)
      : await makePassphrase(folder, passphrase, screen)
  const { member } = await openDeviceKeys(folder, text)
  writeDevice(folder, { v: 1, passphrase, records: [] })
  const fingerprint = fingerprintOf(member.kid)
  screen.print({ ok: true, folder, kid: member.kid, fingerprint, passphrase: passphrase.kind }, [
    `A device in ${folder}`,
    `  Fingerprint  ${fingerprint}`,
    'Show the fingerprint at the institution. Next: npx ampere device claim INVITATION --out FILE',
  ])
  return EXIT.ok
}
