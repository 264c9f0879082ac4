// SPDX-License-Identifier: Apache-2.0
import { CredentialUnavailableError } from '@azure/identity'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { inspect } from 'node:util'
import { openAzure, type AzureOptions } from '#adapters/azure/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Platform } from '#core/ports/needs.ts'
import { startFakeAzure, type Answering, type FakeAzure } from './fake-azure.ts'
import { TOKEN } from './fake-vault.ts'
import { CREDENTIAL, EMULATOR } from './stack.ts'

const SECRET = 'what a row holds'
/** One call of each port, with the code of its failures that pass. */
const CALLS = {
  'Cosmos DB, read': ['STORE_UNAVAILABLE', (p: Platform) => p.table('blocks').get('p', 'k')],
  'Cosmos DB, query': ['STORE_UNAVAILABLE', (p: Platform) => p.table('blocks').range('p')],
  'Cosmos DB, write': [
    'STORE_UNAVAILABLE',
    (p: Platform) => p.table('blocks').insert('p', 'k', utf8(SECRET)),
  ],
  'Blob Storage, read': ['STORE_UNAVAILABLE', (p: Platform) => p.objects('entries').fetch('a/b')],
  'Blob Storage, write': [
    'STORE_UNAVAILABLE',
    (p: Platform) => p.objects('entries').store('a/b', utf8(SECRET)),
  ],
  'Blob Storage, sign': [
    'STORE_UNAVAILABLE',
    (p: Platform) =>
      p.uploads?.offer('a.b', { bytes: 1, sha256: 'A'.repeat(43), expiresMs: p.now() + 60_000 }),
  ],
  'Key Vault': ['KEY_UNAVAILABLE', (p: Platform) => p.signer('instance')],
} as const satisfies Record<string, readonly [string, (p: Platform) => Promise<unknown> | undefined]>
type Service = keyof typeof CALLS
const EACH = Object.keys(CALLS) as Service[]
const titleOf = (service: Service) => service.replace(/,.*/, '')

describe('Azure in trouble', () => {
  const made: { fake?: FakeAzure } = {}
  beforeAll(async () => {
    made.fake = await startFakeAzure()
  })
  afterAll(async () => made.fake?.close())
  const fake = () => {
    if (!made.fake) throw new Error('the fake is not there')
    return made.fake
  }

  /** How a call fails, and after how many requests. */
  const failing = async (service: Service, how: Answering, options: Partial<AzureOptions> = {}) => {
    const { naming, send, answer, requests } = fake()
    const platform = openAzure({ naming, send, credential: CREDENTIAL, ...options })
    answer(how)
    requests()
    const error = await Promise.resolve(CALLS[service][1](platform)).then(
      () => new Error('it did not fail'),
      (failure: unknown) => failure as Error,
    )
    await platform.close()
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(
      new RegExp(`${TOKEN}|${SECRET}|${Buffer.from(SECRET).toString('base64')}`),
    )
    const { code, message, name } = error as Error & { code?: string }
    expect(name).toBe('AmpereError')
    return { code, message, requests: requests() }
  }
  const passing = (service: Service, message: string) => ({ code: CALLS[service][0], message, requests: 1 })

  it.each(EACH)('that throttles is one retryable error after one request: %s', async (service) => {
    const how = { status: 429, headers: { 'x-ms-retry-after-ms': '5', 'retry-after': '0' } }
    const said = `${titleOf(service)} asks for fewer requests`
    expect(await failing(service, how)).toEqual(passing(service, said))
  })

  it.each(EACH.flatMap((service) => [500, 503].map((status) => [service, status] as const)))(
    'that cannot answer is one retryable error after one request: %s, %i',
    async (service, status) => {
      const said = `${titleOf(service)} cannot answer now`
      expect(await failing(service, { status, body: '<html>Service Unavailable</html>' })).toEqual(
        passing(service, said),
      )
    },
  )

  it.each(EACH)('that says nothing is one retryable error in time: %s', async (service) => {
    const limits = { requestMs: 300, objectMs: 300 }
    const said = `${titleOf(service)} did not answer in time`
    expect(await failing(service, { ends: 'never' }, { limits })).toEqual(passing(service, said))
  })

  it.each(EACH)('that breaks off is one retryable error after one request: %s', async (service) => {
    const said = `${titleOf(service)} cannot be reached`
    expect(await failing(service, { ends: 'early' })).toEqual(passing(service, said))
  })

  it.each([
    [
      'Cosmos DB, read',
      'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/read on dbs/ampere/colls/blocks',
    ],
    [
      'Cosmos DB, query',
      'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery on dbs/ampere/colls/blocks',
    ],
    [
      'Cosmos DB, write',
      'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/create on dbs/ampere/colls/blocks',
    ],
    [
      'Blob Storage, read',
      'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read on blobServices/default/containers/entries',
    ],
    [
      'Blob Storage, write',
      'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write on blobServices/default/containers/entries',
    ],
    [
      'Blob Storage, sign',
      'Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action on the account',
    ],
    ['Key Vault', 'Microsoft.KeyVault/vaults/keys/read on keys/sign-instance'],
  ] as const)('that denies says which action on what: %s', async (service, action) => {
    const { code, message } = await failing(service, { status: 403 })
    expect(code).toBe(service === 'Key Vault' ? 'KEY_UNAVAILABLE' : 'CONFIGURATION')
    expect(message).toMatch(`this identity may not do ${action}`)
  })

  it.each([
    ['Cosmos DB, read', { status: 401 }, 'CONFIGURATION', 'Cosmos DB does not accept the credential'],
    ['Blob Storage, read', { status: 401 }, 'CONFIGURATION', 'Blob Storage does not accept the credential'],
    [
      'Cosmos DB, write',
      { status: 403, headers: { 'x-ms-substatus': '1014' } },
      'STORE_FULL',
      'a partition of a table is full',
    ],
    [
      'Cosmos DB, write',
      { status: 403, headers: { 'x-ms-substatus': '3' } },
      'STORE_UNAVAILABLE',
      'Cosmos DB cannot answer now',
    ],
    ['Cosmos DB, write', { status: 449 }, 'STORE_UNAVAILABLE', 'Cosmos DB cannot answer now'],
    [
      'Cosmos DB, read',
      { status: 404, headers: { 'x-ms-substatus': '1003' } },
      'CONFIGURATION',
      'Cosmos DB has no dbs/ampere/colls/blocks: it is made when a deployment is set up',
    ],
    [
      'Blob Storage, read',
      { status: 404, headers: { 'x-ms-error-code': 'ContainerNotFound' } },
      'CONFIGURATION',
      'Blob Storage has no blobServices/default/containers/entries: it is made when a deployment is set up',
    ],
    [
      'Cosmos DB, read',
      { status: 400, body: '{"message":"ConsistencyLevel Strong specified in the request is invalid"}' },
      'CONFIGURATION',
      'the default consistency of the Cosmos DB account is not strong',
    ],
    [
      'Cosmos DB, read',
      { status: 200, body: '<html>' },
      'STORE_UNAVAILABLE',
      'Cosmos DB gave an answer that is not understood',
    ],
    [
      'Cosmos DB, read',
      { status: 200, body: '{"id":"other"}' },
      'STORE_CORRUPT',
      'a row in Cosmos DB is damaged or is not one of ours',
    ],
  ] as const)('is one clear error: %s, %j', async (service, how, code, message) => {
    expect(await failing(service, how)).toMatchObject({ code, message })
  })

  it.each(EACH)('is not asked without a token: %s', async (service) => {
    const credential = {
      getToken: async () => {
        throw new CredentialUnavailableError(`no endpoint; ${TOKEN}`)
      },
    }
    const how = {
      status: 401,
      headers: {
        'www-authenticate': 'Bearer authorization="https://login.test/t", resource="https://vault.azure.net"',
      },
    }
    expect(await failing(service, how, { credential })).toMatchObject({
      code: service === 'Key Vault' ? 'KEY_UNAVAILABLE' : 'CONFIGURATION',
      message: `there is no token for ${titleOf(service)}: this process has no identity in Azure`,
    })
  })

  // Of an emulator's key nobody is asked.
  it.each(EACH.filter((service) => service !== 'Key Vault' && service !== 'Blob Storage, sign'))(
    'is not where it should be: %s',
    async (service) => {
      const { origin, naming } = fake()
      const member = service.startsWith('Cosmos') ? 'cosmosEndpoint' : 'blobEndpoint'
      const at = async (url: string, send?: AzureOptions['send']) => {
        const options = { naming: { ...naming, [member]: url }, credential: CREDENTIAL, emulator: EMULATOR }
        const platform = openAzure(send ? { ...options, send } : options)
        try {
          await CALLS[service][1](platform)
        } finally {
          await platform.close()
        }
      }
      const closed = await startFakeAzure()
      await closed.close()
      const code = 'STORE_UNAVAILABLE'
      await expect(at(closed.origin)).rejects.toMatchObject({
        code,
        message: `${titleOf(service)} cannot be reached`,
      })
      await expect(at(origin.replace('http:', 'https:'))).rejects.toMatchObject({
        code,
        message: `what answers at ${member} does not prove to be ${titleOf(service)}`,
      })
      const lost = {
        sendRequest: async () => Promise.reject(Object.assign(new Error('dns'), { code: 'ENOTFOUND' })),
      }
      await expect(at('https://nowhere.test', lost)).rejects.toMatchObject({
        code,
        message: `${titleOf(service)} is not found at ${member}: there is no such host`,
      })
    },
  )

  it('that lets a connection stand still is left, whatever the deadline', async () => {
    const { origin, naming, answer } = fake()
    answer({ ends: 'never' })
    const limits = { idleMs: 300 }
    const options = {
      naming: { ...naming, cosmosEndpoint: origin },
      credential: CREDENTIAL,
      emulator: EMULATOR,
    }
    const platform = openAzure({ ...options, limits })
    await expect(platform.table('blocks').get('p', 'k')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'Cosmos DB did not answer in time',
    })
    await platform.close()
  })
})
