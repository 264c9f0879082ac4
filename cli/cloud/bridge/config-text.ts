// SPDX-License-Identifier: Apache-2.0
import { formatPolicy } from '#core/log/policy/policy.ts'
import { telemetryOf } from '#infra/bundle/otlp-endpoint.ts'
import { readPolicy } from '../../open/policy.ts'
import { homeFolderOf, type CloudDeployment } from '../cloud-folder.ts'
import { usedHome } from './used-home.ts'

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
