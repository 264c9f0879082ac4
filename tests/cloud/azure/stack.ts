// SPDX-License-Identifier: Apache-2.0
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline'
import { CosmosClient } from '@azure/cosmos'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { randomUUID } from 'node:crypto'
import { openAzure, type AzureNaming, type AzureOptions } from '#adapters/azure/open.ts'
import type { KeyName, ObjectsName, Platform, TableName } from '#core/ports/needs.ts'
import { startFakeVault, TOKEN, VAULT_URL, type FakeVault } from './fake-vault.ts'

/** Each table and store, as the type says. */
const TABLES = Object.keys({
  blocks: 0,
  states: 0,
  wraps: 0,
  packages: 0,
  labels: 0,
  registry: 0,
  following: 0,
  chains: 0,
  dirty: 0,
  jobs: 0,
  receipts: 0,
  quotas: 0,
  leaves: 0,
  checkpoints: 0,
  audits: 0,
  witness: 0,
  monitored: 0,
  bridge: 0,
  mirror: 0,
  'mirror-keys': 0,
  enrolments: 0,
} satisfies Record<TableName, 0>)
const STORES = Object.keys({
  entries: 0,
  originals: 0,
  log: 0,
  staging: 0,
  mirror: 0,
  uploads: 0,
} satisfies Record<ObjectsName, 0>)
/** What the vault signs with itself. */
const SIGNING = ['instance', 'bridge', 'institution', 'controller'] as const satisfies readonly KeyName[]
/** What it wraps the seeds of. */
const WRAPPED = [
  'head',
  'log',
  'log-quantum',
  'witness',
  'witness-quantum',
] as const satisfies readonly KeyName[]

/** Keys of emulators, which their documents publish. */
export const EMULATOR = {
  cosmosKey: 'C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==',
  blobAccount: 'devstoreaccount1',
  blobKey: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
}
/** A credential with a token that fakes take. */
export const CREDENTIAL = {
  getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
}

/** Azurite ends connections after 5 s. */
const LIMITS = { keptMs: 2_000 }

/** What a deployment's template makes, in the emulators and the fake vault. */
export interface Stack {
  readonly naming: AzureNaming
  readonly vault: FakeVault
  open(options?: Partial<AzureOptions>): Platform
  close(): Promise<void>
}

/** Makes a stack that shares nothing with others but the emulators. */
export async function azureStack(): Promise<Stack> {
  const [cosmosEndpoint, blobEndpoint] = [address('COSMOS'), `${address('BLOB')}/${EMULATOR.blobAccount}`]
  const id = randomUUID().slice(0, 8)
  const naming: AzureNaming = {
    cosmosEndpoint,
    database: `ampere-${id}`,
    blobEndpoint,
    blobPrefix: `t${id}-`,
    vaultUrl: VAULT_URL,
    keys: {
      vault: { ...named(SIGNING, 'sign'), sealing: 'unwrap-sealing' },
      software: { container: 'keys', wrappedBy: named(WRAPPED, 'wrap') },
    },
  }
  const [vault] = await Promise.all([startFakeVault(), makeContainers(naming), makeStores(naming)])
  for (const name of SIGNING) vault.create(`sign-${name}`, 'EC', ['sign', 'verify'])
  for (const name of [...WRAPPED.map((one) => `wrap-${one}`), 'unwrap-sealing'])
    vault.create(name, 'RSA', ['wrapKey', 'unwrapKey'])
  const send = routed({ [VAULT_URL]: vault.origin })
  return {
    naming,
    vault,
    open: (options = {}) =>
      openAzure({
        naming,
        credential: CREDENTIAL,
        emulator: EMULATOR,
        makesKeys: true,
        send,
        limits: LIMITS,
        ...options,
      }),
    close: () => vault.close(),
  }
}

/** Leads requests for one origin to another: an https URL, without which no SDK shows its token, to a fake. */
export function routed(routes: Readonly<Record<string, string>>): HttpClient {
  return led(({ origin, pathname, search }) => {
    const to = routes[origin]
    return to === undefined ? undefined : `${to}${pathname}${search}`
  })
}

/** The same, where `to` says for each URL which other is meant, if any. */
export function led(to: (url: URL) => string | undefined): HttpClient {
  const inner = createDefaultHttpClient()
  return {
    sendRequest: async (request) => {
      const url = to(new URL(request.url))
      if (url === undefined) return inner.sendRequest(request)
      const { agent: _, ...rest } = request
      const sent = { ...rest, url, allowInsecureConnection: true }
      return { ...(await inner.sendRequest(sent)), request }
    },
  }
}

function named(names: readonly KeyName[], use: string): Partial<Record<KeyName, string>> {
  return Object.fromEntries(names.map((name) => [name, `${use}-${name}`]))
}

function address(service: 'COSMOS' | 'BLOB'): string {
  const at = process.env[`AMPERE_AZURE_${service}`]
  if (at === undefined) throw new Error('the emulators are started by npm run test:azure')
  return at
}

async function makeContainers({ cosmosEndpoint: endpoint, database: id }: AzureNaming): Promise<void> {
  const client = new CosmosClient({
    endpoint,
    key: EMULATOR.cosmosKey,
    connectionPolicy: { enableEndpointDiscovery: false },
  })
  const { database } = await client.databases.create({ id })
  for (const name of [...TABLES, 'keys'])
    await database.containers.create({ id: name, partitionKey: { paths: ['/pk'] } })
  client.dispose()
}

async function makeStores({ blobEndpoint, blobPrefix }: AzureNaming): Promise<void> {
  const credential = new StorageSharedKeyCredential(EMULATOR.blobAccount, EMULATOR.blobKey)
  const service = new BlobServiceClient(blobEndpoint, credential)
  for (const name of STORES) await service.createContainer(`${blobPrefix ?? ''}${name}`)
}
