// SPDX-License-Identifier: Apache-2.0
import type { ObjectsName, TableName } from '#core/ports/needs.ts'
import { AZURE_NAMES, AZURE_NATIVE } from '#infra/permissions/azure/roles.ts'
import { custodyOf, grantsOf, grantsOfKind } from '#infra/permissions/grants.ts'
import { after, API, COSMOS, filledIn, HERE, namesOf, STORAGE, type Resource } from './references.ts'
import type { AzureSettings } from './settings.ts'

/** Stores whose objects may go by themselves, and after how many days: what is there for so long, nobody appends any more. */
const EXPIRES: { readonly [N in ObjectsName]?: number } = { uploads: 2 }

/** The tables that these identities use, what holds the seeds of software keys, and where change feeds keep how far they are. */
export function containersOf({ identities }: AzureSettings): readonly (TableName | 'keys' | 'leases')[] {
  const grants = identities.flatMap(grantsOf)
  const software = grantsOfKind(grants, 'key').some(
    ({ name, access }) => custodyOf(name, access, AZURE_NATIVE) === 'software',
  )
  const used = new Set<TableName | 'keys' | 'leases'>(grantsOfKind(grants, 'table').map(({ name }) => name))
  if (software) used.add('keys')
  if (grantsOfKind(grants, 'changes').length > 0) used.add('leases')
  return [...used].toSorted()
}

export function storesOf({ identities }: AzureSettings): readonly ObjectsName[] {
  const stores = identities.flatMap((identity) => grantsOfKind(grantsOf(identity), 'objects'))
  return [...new Set(stores.map(({ name }) => name))].toSorted()
}

/**
 * Rows are found by partition and key alone (adapters/azure/table.ts). `id` is always indexed; the partition is not unless it is
 * included (Azure Cosmos DB, Indexing policies). By default each value would be indexed too: paid for with each write, and never asked for.
 */
const KEYS_ONLY = {
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: [{ path: '/pk/?' }],
  excludedPaths: [{ path: '/*' }],
}

/** The account of all tables, its database, and a container for each. */
export function tables(settings: AzureSettings): readonly Resource[] {
  const { prefix, capacity, maxThroughput } = settings
  const { cosmos } = namesOf(prefix)
  const scales = { options: { autoscaleSettings: { maxThroughput } } }
  const { database } = AZURE_NAMES
  const containers = `${COSMOS}/sqlDatabases`
  return [
    cosmosAccount(settings),
    {
      type: containers,
      apiVersion: API.cosmos,
      name: filledIn(`${cosmos}/${database}`),
      dependsOn: [after(COSMOS, cosmos)],
      properties: { resource: { id: database } },
    },
    ...containersOf(settings).map((name) => ({
      type: `${containers}/containers`,
      apiVersion: API.cosmos,
      name: filledIn(`${cosmos}/${database}/${AZURE_NAMES.container(name)}`),
      dependsOn: [after(containers, cosmos, database)],
      properties: {
        resource: {
          id: AZURE_NAMES.container(name),
          // Leases are rows of the host's own, which takes no other key (Azure Cosmos DB trigger, connections).
          partitionKey: { paths: [name === 'leases' ? '/id' : '/pk'], kind: 'Hash', version: 2 },
          ...(name !== 'leases' && { indexingPolicy: KEYS_ONLY }),
        },
        ...(capacity === 'provisioned' && scales),
      },
    })),
  ]
}

/**
 * The account of all tables. One region writes: rows are compared and swapped. Cosmos DB has no account without backups, and an account has one
 * policy for all its containers: a key that erasure destroyed can be restored by whoever may restore accounts, for 7 days, the fewest there are.
 */
function cosmosAccount({ prefix, capacity, publicNetworkAccess }: AzureSettings): Resource {
  return {
    type: COSMOS,
    apiVersion: API.cosmos,
    name: filledIn(namesOf(prefix).cosmos),
    location: HERE,
    kind: 'GlobalDocumentDB',
    properties: {
      databaseAccountOfferType: 'Standard',
      consistencyPolicy: { defaultConsistencyLevel: 'Strong' },
      locations: [{ locationName: HERE, failoverPriority: 0, isZoneRedundant: false }],
      enableMultipleWriteLocations: false,
      enableAutomaticFailover: false,
      disableLocalAuth: true,
      disableKeyBasedMetadataWriteAccess: true,
      minimalTlsVersion: 'Tls12',
      publicNetworkAccess,
      networkAclBypass: 'None',
      backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } },
      capabilities: capacity === 'serverless' ? [{ name: 'EnableServerless' }] : [],
    },
  }
}

/** What every account of Blob Storage refuses: strangers, shared keys, links with a key in them, and old TLS. */
export function storageAccount(
  name: string,
  publicNetworkAccess: AzureSettings['publicNetworkAccess'],
): readonly Resource[] {
  return [
    {
      type: STORAGE,
      apiVersion: API.storage,
      name: filledIn(name),
      location: HERE,
      kind: 'StorageV2',
      sku: { name: 'Standard_ZRS' },
      properties: {
        accessTier: 'Hot',
        allowBlobPublicAccess: false,
        allowSharedKeyAccess: false,
        allowCrossTenantReplication: false,
        defaultToOAuthAuthentication: true,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
        isHnsEnabled: false,
        publicNetworkAccess,
        encryption: {
          keySource: 'Microsoft.Storage',
          requireInfrastructureEncryption: true,
          services: { blob: { enabled: true, keyType: 'Account' } },
        },
      },
    },
    {
      type: `${STORAGE}/blobServices`,
      apiVersion: API.storage,
      name: filledIn(`${name}/default`),
      dependsOn: [after(STORAGE, name)],
      // What is shredded must be gone.
      properties: {
        isVersioningEnabled: false,
        deleteRetentionPolicy: { enabled: false },
        containerDeleteRetentionPolicy: { enabled: false },
        changeFeed: { enabled: false },
        restorePolicy: { enabled: false },
      },
    },
  ]
}

export function blobContainer(account: string, name: string): Resource {
  return {
    type: `${STORAGE}/blobServices/containers`,
    apiVersion: API.storage,
    name: filledIn(`${account}/default/${name}`),
    dependsOn: [after(`${STORAGE}/blobServices`, account, 'default')],
    properties: { publicAccess: 'None' },
  }
}

export function objects(settings: AzureSettings): readonly Resource[] {
  const { objects: account } = namesOf(settings.prefix)
  return [
    ...storageAccount(account, settings.publicNetworkAccess),
    ...storesOf(settings).map((name) => blobContainer(account, AZURE_NAMES.blobContainer(name))),
    ...expiry(account, storesOf(settings)),
  ]
}

/** Blob Storage looks once a day; what it removes is gone, because nothing is kept of it. */
function expiry(account: string, stores: readonly ObjectsName[]): readonly Resource[] {
  const rules = stores.flatMap((name) => {
    const days = EXPIRES[name]
    return days === undefined ? [] : [expiryRule(name, days)]
  })
  if (rules.length === 0) return []
  return [
    {
      type: `${STORAGE}/managementPolicies`,
      apiVersion: API.storage,
      name: filledIn(`${account}/default`),
      dependsOn: [after(STORAGE, account), after(`${STORAGE}/blobServices`, account, 'default')],
      properties: { policy: { rules } },
    },
  ]
}

function expiryRule(name: ObjectsName, days: number): object {
  return {
    name: `${name}-expired`,
    enabled: true,
    type: 'Lifecycle',
    definition: {
      filters: {
        blobTypes: ['blockBlob', 'appendBlob'],
        prefixMatch: [`${AZURE_NAMES.blobContainer(name)}/`],
      },
      actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: days } } },
    },
  }
}
