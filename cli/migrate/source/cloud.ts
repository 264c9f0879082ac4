// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { leavingApp } from '#functions/leaving.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { cloudFolder, readCloudDeployment, type CloudDeployment } from '../../cloud/cloud-folder.ts'
import { foundersPassphrase } from '../../cloud/founding/founding.ts'
import type { Provider } from '../../cloud/providers.ts'
import type { Clouds } from '../../cloud/clouds.ts'
import { settingsIn } from '../../cloud/target.ts'
import { dataFolder } from '../../deployment/settings.ts'
import { readPolicy } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import type { LeftHome } from '../leaving.ts'

type Founded = NonNullable<CloudDeployment['home']>

/** Opens a home in a cloud for the time of `act`, as whoever moves it. @throws AmpereError NOT_FOUND */
export async function withCloudHome(
  clouds: Clouds,
  { options, screen }: Call,
  { provider, stage }: { readonly provider: Provider; readonly stage: string },
  pause: (ms: number) => Promise<void>,
  act: (left: LeftHome) => Promise<number>,
): Promise<number> {
  const data = dataFolder(options.data, screen.terminal.env)
  const folder = cloudFolder(data, provider, stage)
  const known = readCloudDeployment(folder)
  if (!known?.home)
    throw refuse('NOT_FOUND', `no home was deployed as ${provider}-${stage} from this data folder`)
  const { home: founded } = known
  const passphrase = await foundersPassphrase(folder, options, screen)
  const cloud = await clouds[provider].open(screen.terminal.env)
  const { open, stop, end } = await cloud.leave(known, { folder, passphrase, say: screen.say, pause })
  const platform = open()
  try {
    const settings = settingsIn(folder, known, founded)
    const home = homeOf(founded, platform)
    const hosting = { now: platform.now, random: platform.random, log: silentLog }
    const { app, tendLog } = await leavingApp(platform, home, hosting, {
      policy: readPolicy(folder, founded.origin),
      witnessKeys: founded.witness.map(parseVerifierKey),
    })
    return await act({
      folder,
      data,
      settings,
      passphrase,
      fetch: async (request) => app.fetch(request),
      home: { platform, home, tendLog },
      stop,
      end,
      goesOn: `npx ampere deploy ${provider} --stage ${stage}`,
    })
  } finally {
    await platform.close()
  }
}

function homeOf({ deployment, origin, registry }: Founded, platform: Platform): Home {
  const verifiers = createVerifiers()
  return {
    deployment: asDeploymentId(deployment),
    origin,
    durability: 'region',
    backupDays: 0,
    registry: createRegistrySource(platform.table('registry'), registry, verifiers),
    verifiers,
  }
}
