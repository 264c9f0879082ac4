// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Settings } from '../deployment/settings.ts'
import { checkNotLeft } from '../migrate/note.ts'
import type { Call } from '../program/command.ts'
import { CLOUDS } from './clouds.ts'
import { foundersPassphrase } from './founding/founding.ts'
import { deployedAs, type CloudOption } from './target.ts'

/** A home in a cloud, with the keys of its founders that lie beside what is remembered of it. */
export interface ReachedCloud {
  readonly folder: string
  readonly passphrase: StretchedPassphrase
  readonly fetch: Fetch
  readonly settings: Pick<Settings, 'deployment' | 'origin' | 'registry' | 'institutions' | 'log' | 'demo'>
}

/** @throws AmpereError NOT_FOUND, KEY_UNAVAILABLE; CommanderError (usage) */
export async function reachCloud(call: Call<CloudOption>, name: string): Promise<ReachedCloud> {
  const { folder, deployment, home } = deployedAs(call, name)
  checkNotLeft(folder)
  const { screen, options } = call
  const demo = deployment.demo ? { record: null, patient: null } : null
  return {
    folder,
    passphrase: await foundersPassphrase(folder, options, screen),
    fetch: (await CLOUDS[deployment.provider].open(screen.terminal.env)).reach(home.origin),
    settings: {
      deployment: home.deployment,
      origin: home.origin,
      registry: home.registry,
      institutions: deployment.institutions.map(({ id }) => id),
      log: home.log,
      demo,
    },
  }
}
