// SPDX-License-Identifier: Apache-2.0
import { DefaultAzureCredential } from '@azure/identity'
import { join } from 'node:path'
import { openAzure, type AzureNaming } from '#adapters/azure/open.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Connection } from '#infra/deploy/azure/arm.ts'
import { bundleFolder, buildBundles } from '#infra/bundle/build.ts'
import type { Deploys } from '#infra/permissions/identities.ts'
import { inTurn } from '#infra/deploy/turn.ts'
import { pause } from '../cloud.ts'
import { filesIn } from './packages.ts'

/** The bundles of all roles, built. */
export interface Built {
  /** Of each role, by their names in its package: another deployment from the same checkout may build anew before they are published. */
  readonly files: (role: string) => Readonly<Record<string, Uint8Array>>
  readonly bundles: readonly { readonly role: string; readonly bytes: number }[]
}

/** Azure, as a deployment reaches it. */
export interface Azure {
  readonly connection: Connection
  /** The subscription that the environment names. */
  readonly subscription: string | undefined
  readonly now: () => number
  readonly build: (deploys: Deploys, say: (line: string) => void) => Promise<Built>
  /** The stores and keys of a deployment, with the rights of whoever deploys. */
  readonly open: (naming: AzureNaming) => Platform
  readonly fetch: Fetch
}

/**
 * Builds in one folder, from which all deployments of a checkout read: one at a time, and what it built is read before the next one builds.
 * @param make builds into that folder
 */
export function buildInTurn(
  folder: string,
  make: (deploys: Deploys) => Promise<Built['bundles']>,
): Azure['build'] {
  return (deploys, say) =>
    inTurn(`${folder}.turn`, say, async () => {
      const bundles = await make(deploys)
      const read = new Map(bundles.map(({ role }) => [role, filesIn(join(folder, role))]))
      return { bundles, files: (role) => read.get(role) ?? {} }
    })
}

/** Azure itself, by the credentials that its own tools find: environment, workload or managed identity, the command line's. */
export function realAzure(env: Readonly<Record<string, string | undefined>>): Azure {
  const credential = new DefaultAzureCredential()
  return {
    connection: { credential, pause },
    subscription: env['AZURE_SUBSCRIPTION_ID'],
    now: () => Date.now(),
    build: buildInTurn(bundleFolder('azure'), (deploys) => buildBundles('azure', undefined, deploys)),
    open: (naming) => openAzure({ naming, credential, makesKeys: true }),
    fetch: (request) => fetch(request),
  }
}
