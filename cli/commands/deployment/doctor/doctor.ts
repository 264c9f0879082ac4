// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isAmpereError } from '#core/errors.ts'
import { dataFolder, readSettings, type Settings } from '../../../deployment/settings.ts'
import { readMembers } from '../../../open/membership.ts'
import type { Call } from '../../../program/command.ts'
import { FILE_LOST } from '../../../program/damaged.ts'
import { EXIT } from '../../../terminal/screen.ts'
import { counted } from '../../../terminal/words.ts'
import { note, wrong, type Check } from './check.ts'
import { checkDeployment } from './deployment.ts'
import { checkFolder, checkInstitutions, checkNode, checkPermissions, checkSpace } from './machine.ts'

/** Looks at this machine and the data folder, and says of each thing that is wrong what to do. Changes nothing. */
export async function doctor(call: Call): Promise<number> {
  const { screen } = call
  const folder = dataFolder(call.options.data, screen.terminal.env)
  const checks: Check[] = [checkNode(process.version), checkFolder(folder), checkSpace(folder)]
  const settings = readable(folder, checks)
  if (settings) {
    checks.push(checkInstitutions(folder, settings), checkPermissions(folder, settings))
    checks.push(...(await checkDeployment(call, folder, settings)))
  }
  const bad = checks.filter(({ status }) => status === 'wrong').length
  screen.print(
    { ok: bad === 0, folder, origin: settings?.origin ?? null, registry: settings?.registry ?? null, checks },
    [
      ...checks.flatMap((check) => lines(check, screen.bad)),
      bad === 0 ? 'Nothing is wrong.' : `${counted(bad, 'thing')} to put right.`,
    ],
  )
  return bad === 0 ? EXIT.ok : EXIT.failed
}

function readable(folder: string, checks: Check[]): Settings | null {
  try {
    const settings = readSettings(folder)
    if (!settings) checks.push(withoutDeployment(folder))
    return settings
  } catch (error) {
    if (!isAmpereError(error)) throw error
    const next = error.code === 'STORE_VERSION' ? 'update Ampere' : FILE_LOST
    checks.push(wrong('Deployment', error.message, next))
    return null
  }
}

/** A folder with keys of members or of a device alone: there is no home to begin in it. */
function withoutDeployment(folder: string): Check {
  const members = readMembers(folder).map(({ id }) => id)
  if (members.length > 0)
    return note('Deployment', `none: keys of ${members.join(', ')}, whose registry is elsewhere`)
  if (existsSync(join(folder, 'device.json'))) return note('Deployment', "none: keys of a patient's device")
  return note('Deployment', 'none in this folder', 'npx ampere start --demo, or npx ampere init')
}

function lines({ name, status, says, next }: Check, bad: (text: string) => string): string[] {
  const mark = status === 'wrong' ? bad('WRONG') : status.padEnd(5)
  return [
    `${mark}  ${name.padEnd(12)}  ${says}`,
    ...(next === undefined ? [] : [`                     Next: ${next}`]),
  ]
}
