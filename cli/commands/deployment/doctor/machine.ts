// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { homeKeyFile, institutionFolder, keyFileOf } from '../../../deployment/files.ts'
import type { Settings } from '../../../deployment/settings.ts'
import { FILE_LOST } from '../../../program/damaged.ts'
import { size } from '../../../terminal/words.ts'
import { note, ok, wrong, type Check } from './check.ts'

const NODE_MAJOR = 24
/** Below this much free space a day of work may not fit. */
const LOW_SPACE_BYTES = 1_000_000_000
const NO_SPACE_BYTES = 100_000_000

export function checkNode(version: string): Check {
  return Number(version.replace('v', '').split('.')[0]) >= NODE_MAJOR
    ? ok('Node', version)
    : wrong('Node', `${version}, and ${NODE_MAJOR} is needed`, 'run it as npx ampere, which brings its own')
}

export function checkFolder(folder: string): Check {
  if (!existsSync(folder))
    return note('Folder', `${folder} is not there yet`, 'npx ampere start --demo, or npx ampere init')
  if (!statSync(folder).isDirectory())
    return wrong('Folder', `${folder} is a file`, 'choose another: --data FOLDER')
  if (mayWrite(folder)) return ok('Folder', folder)
  const isOwn = statSync(folder).uid === process.getuid?.()
  const next = isOwn ? `chmod -R u+rwX ${folder}` : `chown -R "$(id -un)" ${folder}`
  return wrong('Folder', `this account may not write to ${folder}`, next)
}

/** Whether this account may read and write there. */
export function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Files that hold keys or open them: nobody but their owner may read them. */
export function checkPermissions(folder: string, settings: Settings): Check {
  const own = settings.elsewhere === true ? [] : [homeKeyFile(folder)]
  const keyFiles = [...own, ...settings.institutions.map((id) => keyFileOf(folder, id))]
  const files = [
    ...keyFiles,
    ...(settings.passphrase.kind === 'generated' ? [join(folder, 'passphrase')] : []),
    ...(settings.passphrase.kind === 'file' ? [settings.passphrase.path] : []),
  ]
  const missing = files.filter((file) => !existsSync(file))
  if (missing.length > 0) return wrong('Key files', `${missing.join(', ')} not there`, FILE_LOST)
  if (process.platform === 'win32') return note('Key files', 'who may read them is not looked at on Windows')
  const withPassphrase = files.length > keyFiles.length ? ' and the file of the passphrase' : ''
  const open = files.filter((file) => (statSync(file).mode & 0o077) !== 0)
  return open.length === 0
    ? ok('Key files', `${keyFiles.length}${withPassphrase}, readable by their owner only`)
    : wrong('Key files', `others may read ${open.join(', ')}`, `chmod 600 ${open.join(' ')}`)
}

export function checkSpace(folder: string): Check {
  const place = existsSync(folder) ? folder : dirname(folder)
  if (!existsSync(place)) return note('Space', 'not looked at: there is no folder yet')
  const { bavail, bsize } = statfsSync(place)
  const free = bavail * bsize
  if (free < NO_SPACE_BYTES)
    return wrong('Space', `${size(free)} free`, 'make room; what was acknowledged is kept')
  return free < LOW_SPACE_BYTES
    ? note('Space', `${size(free)} free`, 'make room')
    : ok('Space', `${size(free)} free`)
}

/** Every institution's own folder is where it was. */
export function checkInstitutions(folder: string, settings: Settings): Check {
  const missing = settings.institutions.filter((id) => !existsSync(institutionFolder(folder, id)))
  return missing.length === 0
    ? ok('Institutions', settings.institutions.join(', '))
    : wrong('Institutions', `no folder for ${missing.join(', ')}`, FILE_LOST)
}
