// SPDX-License-Identifier: Apache-2.0
import { telemetryOf } from '#infra/bundle/otlp-endpoint.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { bridgeConfigText } from './bridge/config-text.ts'
import type { CloudDeployment } from './cloud-folder.ts'
import { trustedIn } from './trusted.ts'

/** What the template of a deployment was made with, and its functions are told. */
interface Told {
  /** For how long the provider's backups, or those that `ampere backup` made, keep a key that was destroyed. */
  readonly backupDays: number
  /** Of a collector of telemetry; empty for none. */
  readonly otlpEndpoint: string
}

/**
 * What lies beside the code of every function, as `ampere.json`, and says to it what the home is and, by the files of its folder,
 * whom it trusts (functions/host/cloud/config.ts).
 */
export function configText(
  { home, bridge }: CloudDeployment,
  folder: string,
  { backupDays, otlpEndpoint }: Told,
): string {
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
    ...trustedIn(folder, origin),
    telemetry: telemetryOf(otlpEndpoint),
    bridges: bridge ? [bridge.institution] : [],
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

/** What is told to each role: a bridge is another thing than a home. */
export function configTexts(
  deployment: CloudDeployment,
  folder: string,
  told: Told & { readonly tableDays: number },
): (role: string) => string {
  const home = deployment.home && configText(deployment, folder, told)
  const bridge =
    deployment.bridge && bridgeConfigText(deployment, folder, { ...told, backupDays: told.tableDays })
  return (role) => {
    const text = BRIDGE_ROLES.includes(role) ? bridge : home
    if (text) return text
    throw new RangeError(`${role} is no role of this deployment`)
  }
}

/**
 * For how many days backups may have what was erased: the provider's own, or those that were made of the home.
 * @param providers of a key that was destroyed
 */
export function statedDays({ backups }: Pick<CloudDeployment, 'backups'>, providers: number): number {
  return Math.max(providers, backups?.days ?? 0)
}

/** The same deployment once its functions state that. */
export function toldOf(deployed: CloudDeployment, providers: number): CloudDeployment {
  if (!deployed.home) return deployed
  const backups = { days: deployed.backups?.days ?? 0, stated: statedDays(deployed, providers) }
  return { ...deployed, backups }
}

const BRIDGE_ROLES: readonly string[] = identitiesOf('bridge').map(({ name }) => name)

export function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`
}
