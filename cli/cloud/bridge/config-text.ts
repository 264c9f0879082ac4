// SPDX-License-Identifier: Apache-2.0
import { formatPolicy } from '#core/log/policy/policy.ts'
import { telemetryOf } from '#infra/bundle/otlp-endpoint.ts'
import { readPolicy } from '../../open/policy.ts'
import { refuse } from '../../program/refuse.ts'
import { homeFolderOf, readCloudDeployment, type CloudDeployment } from '../cloud-folder.ts'

/** The home that a bridge uses. */
export type UsedHome = NonNullable<CloudDeployment['home']>

/** The home that the bridge of a deployment uses: its own, or that of the deployment that it names. @throws AmpereError NOT_FOUND */
export function usedHome(folder: string, { home, bridge }: CloudDeployment): UsedHome {
  const used = bridge?.uses == null ? home : (readCloudDeployment(homeFolderOf(folder, bridge))?.home ?? null)
  if (used) return used
  throw refuse(
    'NOT_FOUND',
    `no home was deployed as ${bridge?.uses ?? 'this deployment'} from this data folder`,
    'deploy the home first: npx ampere deploy aws|azure --stage STAGE',
  )
}

/**
 * What lies beside the code of both functions of a bridge, as `ampere.json` (functions/host/cloud/bridge-config.ts): what it judges its
 * home by is what the folder of that home says.
 */
export function bridgeConfigText(
  deployment: CloudDeployment,
  folder: string,
  told: { readonly backupDays: number; readonly otlpEndpoint: string },
): string {
  const { bridge } = deployment
  if (!bridge?.made) throw new RangeError('there is no bridge yet')
  const { deployment: id, origin, registry, log } = usedHome(folder, deployment)
  const policy = readPolicy(homeFolderOf(folder, bridge), origin)
  const keysAlone = [...log.map((key) => `log ${key}\n`), 'quorum none\n'].join('')
  const config = {
    v: 1,
    origin: bridge.made.origin,
    telemetry: telemetryOf(told.otlpEndpoint),
    bridge: {
      institution: bridge.institution,
      home: { deployment: id, origin, registry, policy: policy ? formatPolicy(policy) : keysAlone },
      seeds: bridge.made.seeds,
      backupDays: told.backupDays,
    },
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
