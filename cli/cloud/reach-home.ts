// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Settings } from '../deployment/settings.ts'
import { checkNotLeft } from '../migrate/note.ts'
import type { Call, CloudOption } from '../program/command.ts'
import { CLOUDS } from './clouds.ts'
import { foundersPassphrase } from './founding/founding.ts'
import { deployedAs, settingsIn } from './target.ts'

/** A home in a cloud, with the keys of its founders that lie beside what is remembered of it. */
export interface ReachedCloud {
  readonly folder: string
  readonly passphrase: StretchedPassphrase
  readonly fetch: Fetch
  readonly settings: Settings
}

/** @throws AmpereError NOT_FOUND, KEY_UNAVAILABLE; CommanderError (usage) */
export async function reachCloud(call: Call<CloudOption>, name: string): Promise<ReachedCloud> {
  const { folder, deployment, home } = deployedAs(call, name)
  checkNotLeft(folder)
  const { screen, options } = call
  return {
    folder,
    passphrase: await foundersPassphrase(folder, options, screen),
    fetch: (await CLOUDS[deployment.provider].open(screen.terminal.env)).reach(home.origin),
    settings: settingsIn(folder, deployment, home),
  }
}
