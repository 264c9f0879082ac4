// SPDX-License-Identifier: Apache-2.0
import { parseVerifierKey, type LogKey } from '#core/log/note/key.ts'
import { deploymentOf } from '../deployment/deployment-of.ts'
import { dataFolder, readSettings, SETTINGS_VERSION, type Settings } from '../deployment/settings.ts'
import type { Call, CloudOption } from '../program/command.ts'
import { refuse, usage, type Refusal } from '../program/refuse.ts'
import { cloudFolder, readCloudDeployment, type CloudDeployment } from './cloud-folder.ts'
import type { Provider } from './providers.ts'

/** A home whose operator says whom it trusts, by files in a folder of this computer. */
export interface Target {
  readonly folder: string
  readonly origin: string
  readonly logKeys: readonly LogKey[]
  /** When what was said holds: for files of another kind a server that runs needs no start. */
  readonly effective: 'next-start' | 'next-deploy'
  /** What has to be done for it to hold. */
  readonly next: string
}

/** The home of the data folder, or the one that --cloud names. @throws AmpereError CONFIGURATION, NOT_FOUND; CommanderError (usage) */
export function targetOf(call: Call<CloudOption>): Target {
  const { cloud } = call.options
  if (cloud !== undefined) return cloudTarget(call, cloud)
  const { folder, settings } = deploymentOf(call)
  const { origin, log } = settings
  const next = 'A server reads it when it starts: restart one that runs.'
  return { folder, origin, logKeys: log.map(parseVerifierKey), effective: 'next-start', next }
}

/** A home that was deployed from this data folder. @throws AmpereError NOT_FOUND; CommanderError (usage) */
function cloudTarget(call: Call<CloudOption>, name: string): Target {
  const { folder, home, deploy } = deployedAs(call, name)
  const { origin, log } = home
  const next = `It holds once the functions have it: ${deploy}`
  return { folder, origin, logKeys: log.map(parseVerifierKey), effective: 'next-deploy', next }
}

/** What is remembered of a home that was deployed from this data folder, and the command that deploys it again. */
export interface Deployed {
  readonly folder: string
  readonly deployment: CloudDeployment
  readonly home: NonNullable<CloudDeployment['home']>
  readonly deploy: string
}

/** @throws AmpereError NOT_FOUND; CommanderError (usage) */
export function deployedAs(call: Call<CloudOption>, name: string): Deployed {
  const { folder, deployment, deploy } = rememberedAs(call, name)
  if (deployment.home) return { folder, deployment, home: deployment.home, deploy }
  throw noneAs(name, deploy)
}

/** The same of whatever was deployed: a bridge alone has no home of its own. @throws AmpereError NOT_FOUND; CommanderError (usage) */
export function rememberedAs({ options, screen }: Call<CloudOption>, name: string): Omit<Deployed, 'home'> {
  const place = cloudNamed(name)
  if (!place) throw usage('--cloud is the provider and the stage, such as aws-prod')
  const { provider, stage } = place
  const folder = cloudFolder(dataFolder(options.data, screen.terminal.env), provider, stage)
  const deployment = readCloudDeployment(folder)
  const deploy = `npx ampere deploy ${provider} --stage ${stage}`
  if (deployment) return { folder, deployment, deploy }
  throw noneAs(name, deploy)
}

function noneAs(name: string, deploy: string): Refusal {
  return refuse('NOT_FOUND', `no home was deployed as ${name} from this data folder`, deploy)
}

/**
 * What is remembered of a home in a cloud, as it is of one on this computer. The folder of one that was moved there says it itself,
 * with the logs of the homes that it left; of one that began there nobody wrote it down.
 */
export function settingsIn(
  folder: string,
  { institutions, demo }: Pick<CloudDeployment, 'institutions' | 'demo'>,
  { deployment, origin, registry, log }: NonNullable<CloudDeployment['home']>,
): Settings {
  const known = readSettings(folder)
  if (known) return known
  return {
    v: SETTINGS_VERSION,
    registry,
    deployment,
    origin,
    log,
    institutions: institutions.map(({ id }) => id),
    passphrase: { kind: 'generated' },
    demo: demo ? { record: null, patient: null } : null,
  }
}

/** What is pinned here of the home that is meant; of the data folder's own nothing, where there is none. @throws as `deployedAs` */
export function pinnedOf(call: Call<CloudOption>): {
  readonly folder: string
  readonly settings: Settings | null
} {
  const { cloud, data } = call.options
  if (cloud === undefined) {
    const folder = dataFolder(data, call.screen.terminal.env)
    return { folder, settings: readSettings(folder) }
  }
  const { folder, deployment, home } = deployedAs(call, cloud)
  return { folder, settings: settingsIn(folder, deployment, home) }
}

/** The provider and the stage of a name such as aws-prod; null for what is none. */
export function cloudNamed(name: string): { readonly provider: Provider; readonly stage: string } | null {
  const [, provider, stage] = /^(aws|azure)-([a-z][a-z0-9-]*)$/.exec(name) ?? []
  return (provider === 'aws' || provider === 'azure') && stage !== undefined ? { provider, stage } : null
}
