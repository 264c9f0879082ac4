// SPDX-License-Identifier: Apache-2.0
import { readMembers } from '../open/membership.ts'
import type { Call } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'
import { dataFolder, readSettings, type Settings } from './settings.ts'

/** The deployment of a command's data folder. @throws AmpereError CONFIGURATION when there is none */
export function deploymentOf(call: Call): { readonly folder: string; readonly settings: Settings } {
  const folder = dataFolder(call.options.data, call.screen.terminal.env)
  const settings = readSettings(folder)
  if (settings) return { folder, settings }
  throw noDeployment(folder)
}

/** A folder with keys of members alone has no home to try or to begin: nothing of that is suggested there. */
export function noDeployment(folder: string): Error {
  const [member] = readMembers(folder)
  const next = member
    ? `here are keys of ${member.id}, whose registry is elsewhere: npx ampere institution list`
    : 'npx ampere start --demo (to try), or npx ampere init (for real)'
  return refuse('CONFIGURATION', `there is no deployment in ${folder}`, next)
}
