// SPDX-License-Identifier: Apache-2.0
import { DefaultAzureCredential } from '@azure/identity'
import { openAzure, type AzureNaming } from '#adapters/azure/open.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Connection } from '#infra/deploy/azure/arm.ts'
import { bundleFolder, buildBundles } from '#infra/bundle/build.ts'
import type { Deploys } from '#infra/permissions/identities.ts'
import { pause } from '../cloud.ts'

/** The bundles of all roles, built: a folder for each in one. */
export interface Built {
  readonly folder: string
  readonly bundles: readonly { readonly role: string; readonly bytes: number }[]
}

/** Azure, as a deployment reaches it. */
export interface Azure {
  readonly connection: Connection
  /** The subscription that the environment names. */
  readonly subscription: string | undefined
  readonly now: () => number
  readonly build: (deploys: Deploys) => Promise<Built>
  /** The stores and keys of a deployment, with the rights of whoever deploys. */
  readonly open: (naming: AzureNaming) => Platform
  readonly fetch: Fetch
}

/** Azure itself, by the credentials that its own tools find: environment, workload or managed identity, the command line's. */
export function realAzure(env: Readonly<Record<string, string | undefined>>): Azure {
  const credential = new DefaultAzureCredential()
  return {
    connection: { credential, pause },
    subscription: env['AZURE_SUBSCRIPTION_ID'],
    now: () => Date.now(),
    build: async (deploys) => ({
      folder: bundleFolder('azure'),
      bundles: await buildBundles('azure', undefined, deploys),
    }),
    open: (naming) => openAzure({ naming, credential, makesKeys: true }),
    fetch: (request) => fetch(request),
  }
}
