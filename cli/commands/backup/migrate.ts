// SPDX-License-Identifier: Apache-2.0
import { pause as wait } from '../../cloud/cloud.ts'
import { cloudNamed } from '../../cloud/target.ts'
import { withHome } from '../../deployment/session.ts'
import { founderNames } from '../../migrate/enter.ts'
import { leavingOf, type Leaving } from '../../migrate/leaving.ts'
import { move } from '../../migrate/move.ts'
import { withCloudHome } from '../../migrate/source/cloud.ts'
import { homeHere } from '../../migrate/source/folder.ts'
import { cloudTarget, type CloudTargetOptions } from '../../migrate/target/cloud.ts'
import { folderTarget } from '../../migrate/target/folder.ts'
import type { MoveTarget } from '../../migrate/target/target.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import type { Common } from '../../terminal/screen.ts'
import type { Clouds } from '../cloud/standing.ts'

export interface MigrateOptions extends Common, CloudTargetOptions {
  readonly from?: string
  readonly to?: string
  readonly port?: number
}

/** Moves the home of this data folder into a new one, with its own keys, log and origin. @param pause waits so many milliseconds */
export function migrateOn(clouds: Clouds, pause = wait) {
  return async (call: Call<MigrateOptions>): Promise<number> => {
    const { from } = call.options
    const act = async (leaving: Leaving) => move(call, leaving, await targetOf(clouds, call, leaving, pause))
    if (from === undefined)
      return withHome(
        call,
        ({ institutions }) => institutions,
        async (reached) => act(await leavingOf(homeHere(reached))),
        'leave',
      )
    const place = cloudNamed(from)
    if (!place) throw usage('--from: a stage such as aws-prod is expected')
    return withCloudHome(clouds, call, place, pause, async (left) => act(await leavingOf(left)))
  }
}

/** @throws CommanderError (usage) */
async function targetOf(
  clouds: Clouds,
  { options, screen }: Call<MigrateOptions>,
  { folder, data, settings, passphrase: given, entering }: Leaving,
  pause: (ms: number) => Promise<void>,
): Promise<MoveTarget> {
  const { to, port } = options
  if (to === undefined)
    throw usage('--to: a folder for the new home is expected, or a stage such as aws-prod')
  const place = cloudNamed(to)
  if (!place) return folderTarget(folder, to, given, port)
  const passphrase = typeof given === 'string' ? { text: given, masters: new Map(), isRandom: false } : given
  const { provider, stage } = place
  const cloud = await clouds[provider].open(screen.terminal.env)
  const institutions = founderNames(entering)
  const demo = settings.demo !== null
  const into = { cloud, stage, data, institutions, demo, passphrase, screen, pause }
  return cloudTarget(into, options)
}
