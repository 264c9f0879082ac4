// SPDX-License-Identifier: Apache-2.0
import { pause as wait } from '../../cloud/cloud.ts'
import type { Founder } from '../../cloud/wanted.ts'
import { cloudNamed } from '../../cloud/target.ts'
import { withHome } from '../../deployment/session.ts'
import { founderNames, stateOf } from '../../migrate/enter.ts'
import { leavingOf, type LeftHome } from '../../migrate/leaving.ts'
import { moveLost } from '../../migrate/lost/move-lost.ts'
import { move } from '../../migrate/move.ts'
import { withLostHome, type LostOptions } from '../../migrate/source/backup.ts'
import { withCloudHome } from '../../migrate/source/cloud.ts'
import { homeHere } from '../../migrate/source/folder.ts'
import { cloudTarget, type CloudTargetOptions } from '../../migrate/target/cloud.ts'
import { folderTarget } from '../../migrate/target/folder.ts'
import type { MoveTarget } from '../../migrate/target/target.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import type { Clouds } from '../../cloud/clouds.ts'

export interface MigrateOptions extends LostOptions, CloudTargetOptions {
  readonly from?: string
  readonly to?: string
  readonly port?: number
}

/** Moves the home of this data folder, or another that is named, into a new one, with its own keys, log and origin. @param pause waits so many milliseconds */
export function migrateOn(clouds: Clouds, pause = wait) {
  return async (call: Call<MigrateOptions>): Promise<number> => {
    const { from, cloud } = call.options
    if (cloud !== undefined && (from === undefined || cloudNamed(from)))
      throw usage('--cloud: whose backup --from is; a home that is there is named by --from itself')
    const act = async (left: LeftHome) => {
      const leaving = await leavingOf(left)
      const state = stateOf(leaving.entering.connection)
      return move(
        call,
        leaving,
        await targetOf(clouds, call, { ...left, pause }, founderNames(state, leaving.entering)),
      )
    }
    if (from === undefined)
      return withHome(
        call,
        ({ institutions }) => institutions,
        async (reached) => act(homeHere(reached)),
        'leave',
      )
    const place = cloudNamed(from)
    if (place) return withCloudHome(clouds, call, place, pause, act)
    return withLostHome(clouds, call, from, (lost) =>
      moveLost(call, lost, (state, members) =>
        targetOf(clouds, call, { ...lost, pause }, founderNames(state, members)),
      ),
    )
  }
}

/** What a target is made with. */
interface From extends Pick<LeftHome, 'folder' | 'data' | 'settings' | 'passphrase'> {
  readonly pause: (ms: number) => Promise<void>
}

/** @throws CommanderError (usage) */
async function targetOf(
  clouds: Clouds,
  { options, screen }: Call<MigrateOptions>,
  { folder, data, settings, passphrase: given, pause }: From,
  institutions: readonly Founder[],
): Promise<MoveTarget> {
  const { to, port } = options
  if (to === undefined)
    throw usage('--to: a folder for the new home is expected, or a stage such as aws-prod')
  const place = cloudNamed(to)
  if (!place && /^(aws|azure)-[^/\\]*$/i.test(to))
    throw usage(`--to: ${to} is no stage, such as aws-prod; for a folder of that name give ./${to}`)
  if (!place) return folderTarget(folder, to, given, port)
  const { provider, stage } = place
  const cloud = await clouds[provider].open(screen.terminal.env)
  const passphrase = typeof given === 'string' ? { text: given, masters: new Map(), isRandom: false } : given
  const demo = settings.demo !== null
  const into = { cloud, stage, data, institutions, demo, passphrase, screen, pause }
  return cloudTarget(into, options)
}
