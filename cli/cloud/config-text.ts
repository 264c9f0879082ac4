// SPDX-License-Identifier: Apache-2.0
import type { CloudDeployment } from './cloud-folder.ts'

/**
 * What lies beside the code of every function, as `ampere.json`, and says to it what the home is (functions/host/cloud/config.ts).
 * @param backupDays for how long the provider's backups keep a key that was destroyed
 */
export function configText({ home }: CloudDeployment, backupDays: number): string {
  if (!home) throw new RangeError('there is no home yet')
  const { deployment, origin, registry, log, witness } = home
  const config = {
    v: 1,
    deployment,
    origin,
    registry,
    backupDays,
    logKeys: log,
    witnessKeys: witness,
    policy: null,
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

export function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`
}
