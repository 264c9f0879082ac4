// SPDX-License-Identifier: Apache-2.0
import { AZURE_NAMES } from '#infra/permissions/azure/roles.ts'
import type { Identity } from '#infra/permissions/identities.ts'
import { keyNamingOf } from './keys.ts'
import {
  after,
  API,
  COSMOS,
  filledIn,
  HERE,
  IDENTITIES,
  idOf,
  namesOf,
  ofIdentity,
  SITES,
  STORAGE,
  VAULTS,
  type Resource,
} from './references.ts'
import type { AzureSettings } from './settings.ts'
import { blobContainer, storageAccount } from './stores.ts'

/** Memory of an instance in MB, of those that Flex Consumption has. */
const MEMORY_MB = 512
/** Where requests carry objects, and where trees are hashed. */
const LARGE_MB = 2048
const LARGE: readonly string[] = [
  'writer',
  'worker',
  'reader',
  'keeper',
  'sequencer',
  'auditor',
  'eraser',
  'sweeper',
  'mirror',
  'bridge',
  'checker',
]
const PLANS = 'Microsoft.Web/serverfarms'
const PACKAGES = 'package'

/** A function app for each role, with what it runs on: a plan (Flex Consumption has one app in each) and its host's account. */
export function functions(settings: AzureSettings): readonly Resource[] {
  const { prefix } = settings
  return settings.identities.flatMap((identity) => {
    const { host, plan } = namesOf(prefix)
    const account = host(identity.name)
    return [
      // Not private even where the stores are: code and leases are in it, and nothing of patients.
      ...storageAccount(account, 'Enabled'),
      blobContainer(account, PACKAGES),
      {
        type: PLANS,
        apiVersion: API.web,
        name: plan(identity.name),
        location: HERE,
        kind: 'functionapp',
        sku: { name: 'FC1', tier: 'FlexConsumption' },
        properties: { reserved: true },
      },
      site(identity, settings),
      ...['ftp', 'scm'].map((way) => noPasswords(prefix, identity.name, way)),
    ]
  })
}

function site(identity: Identity, settings: AzureSettings): Resource {
  const { prefix } = settings
  const names = namesOf(prefix)
  const { name } = identity
  const own = after(IDENTITIES, names.identity(name))
  const account = names.host(name)
  return {
    type: SITES,
    apiVersion: API.web,
    name: filledIn(names.app(name)),
    location: HERE,
    kind: 'functionapp,linux',
    identity: { type: 'UserAssigned', userAssignedIdentities: { [own]: {} } },
    dependsOn: [
      own,
      after(PLANS, names.plan(name)),
      after(`${STORAGE}/blobServices/containers`, account, 'default', PACKAGES),
      after(COSMOS, names.cosmos),
      after(STORAGE, names.objects),
      after(VAULTS, names.vault),
      after('Microsoft.Insights/components', names.insights),
    ],
    properties: {
      serverFarmId: after(PLANS, names.plan(name)),
      httpsOnly: true,
      clientAffinityEnabled: false,
      functionAppConfig: appConfig(name, settings),
      siteConfig: {
        minTlsVersion: '1.2',
        scmMinTlsVersion: '1.2',
        ftpsState: 'Disabled',
        http20Enabled: true,
        appSettings: Object.entries(appSettings(identity, settings)).map(([setting, value]) => ({
          name: setting,
          value: filledIn(value),
        })),
      },
    },
  }
}

/** From where its code comes, on what it runs, and how much of it. */
function appConfig(role: string, { prefix, nodeVersion, maxInstances }: AzureSettings): object {
  const { host, identity } = namesOf(prefix)
  return {
    deployment: {
      storage: {
        type: 'blobContainer',
        value: filledIn(`${blobEndpoint(host(role))}${PACKAGES}`),
        authentication: {
          type: 'UserAssignedIdentity',
          userAssignedIdentityResourceId: after(IDENTITIES, identity(role)),
        },
      },
    },
    scaleAndConcurrency: {
      maximumInstanceCount: maxInstances,
      instanceMemoryMB: LARGE.includes(role) ? LARGE_MB : MEMORY_MB,
    },
    runtime: { name: 'node', version: nodeVersion },
  }
}

export function blobEndpoint(account: string): string {
  return `\${reference(${idOf(STORAGE, account)}, '${API.storage}').primaryEndpoints.blob}`
}

/** Names and addresses: whatever is reached is reached by the identity, and no setting has a key. */
function appSettings(identity: Identity, { prefix }: AzureSettings): Readonly<Record<string, string>> {
  const names = namesOf(prefix)
  const clientId = `\${${ofIdentity(prefix, identity.name, 'clientId')}}`
  const byIdentity = (connection: string) => ({
    [`${connection}__credential`]: 'managedidentity',
    [`${connection}__clientId`]: clientId,
  })
  const insights = idOf('Microsoft.Insights/components', names.insights)
  const table = identity.wokenBy?.table
  return {
    AMPERE_AZURE: JSON.stringify({ naming: namingOf(identity, prefix), clientId }),
    AZURE_CLIENT_ID: clientId,
    AzureWebJobsStorage__accountName: names.host(identity.name),
    ...byIdentity('AzureWebJobsStorage'),
    AzureWebJobsDisableHomepage: 'true',
    APPLICATIONINSIGHTS_CONNECTION_STRING: `\${reference(${insights}, '${API.insights}').ConnectionString}`,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `ClientId=${clientId};Authorization=AAD`,
    ...(table !== undefined && {
      COSMOS__accountEndpoint: cosmosEndpoint(prefix),
      ...byIdentity('COSMOS'),
      AMPERE_DATABASE: AZURE_NAMES.database,
      AMPERE_CHANGES: AZURE_NAMES.container(table),
    }),
  }
}

export function cosmosEndpoint(prefix: string): string {
  return `\${reference(${idOf(COSMOS, namesOf(prefix).cosmos)}, '${API.cosmos}').documentEndpoint}`
}

export function vaultUrl(prefix: string): string {
  return `\${reference(${idOf(VAULTS, namesOf(prefix).vault)}, '${API.vault}').vaultUri}`
}

/** What the adapters are told (adapters/azure). */
function namingOf(identity: Identity, prefix: string): object {
  const { objects } = namesOf(prefix)
  return {
    cosmosEndpoint: cosmosEndpoint(prefix),
    database: AZURE_NAMES.database,
    blobEndpoint: blobEndpoint(objects),
    vaultUrl: vaultUrl(prefix),
    keys: keyNamingOf([identity]),
  }
}

/** Packages are published by identity alone. */
function noPasswords(prefix: string, role: string, way: string): Resource {
  const { app } = namesOf(prefix)
  return {
    type: `${SITES}/basicPublishingCredentialsPolicies`,
    apiVersion: API.web,
    name: filledIn(`${app(role)}/${way}`),
    dependsOn: [after(SITES, app(role))],
    properties: { allow: false },
  }
}
