// SPDX-License-Identifier: Apache-2.0
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Settings } from '../deployment/settings.ts'
import { checkNotLeft } from '../migrate/note.ts'
import type { BridgeContext } from '../open/bridge.ts'
import type { Call, CloudOption } from '../program/command.ts'
import { bridgeElsewhere } from './bridge/elsewhere.ts'
import { usedDeployment } from './bridge/used-home.ts'
import { CLOUDS } from './clouds.ts'
import { foundersPassphrase } from './founding/founding.ts'
import type { Provider } from './providers.ts'
import { rememberedAs, settingsIn } from './target.ts'

/** A home in a cloud, with the keys of its founders that lie beside what is remembered of it. */
export interface ReachedCloud extends Required<Pick<BridgeContext, 'elsewhere'>> {
  readonly folder: string
  readonly passphrase: StretchedPassphrase
  readonly fetch: Fetch
  readonly settings: Settings
}

/** The home that was deployed under a name, or the one that the bridge of that name uses. @throws AmpereError NOT_FOUND, KEY_UNAVAILABLE; CommanderError (usage) */
export async function reachCloud(call: Call<CloudOption>, name: string): Promise<ReachedCloud> {
  const named = rememberedAs(call, name)
  const { folder, deployment, home } = usedDeployment(named.folder, named.deployment)
  checkNotLeft(folder)
  const { screen, options } = call
  const { env, now } = screen.terminal
  const reach = async (provider: Provider, origin: string) => (await CLOUDS[provider].open(env)).reach(origin)
  const settings = settingsIn(folder, deployment, home)
  const { bridge } = named.deployment
  return {
    folder,
    passphrase: await foundersPassphrase(folder, options, screen),
    fetch: await reach(deployment.provider, home.origin),
    // A bridge alone is one institution's.
    settings: bridge?.uses == null ? settings : { ...settings, institutions: [bridge.institution] },
    elsewhere: bridgeElsewhere(folder, { reach, now, say: (line) => screen.say(line) }),
  }
}
