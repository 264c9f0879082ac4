// SPDX-License-Identifier: Apache-2.0
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { Agent, request as ask } from 'node:https'
import { openAzure, type AzureCall, type AzureOptions } from '#adapters/azure/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { hashOf } from '#tests/core/server/upload/uploads.ts'
import { uploadsContract } from '#tests/contract/uploads-contract.ts'
import { EMULATOR } from './stack.ts'

const MISSING = process.env['AMPERE_AZURE_IDENTITY_MISSING']
const DELEGATE = 'Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action'
const HOUR_MS = 3_600_000

/** A token as Azure's are, which Azurite reads and does not verify. */
function token(): string {
  const seconds = Math.floor(Date.now() / 1000)
  const claims = {
    aud: 'https://storage.azure.com',
    iss: 'https://sts.windows.net/22222222-2222-2222-2222-222222222222/',
    iat: seconds,
    nbf: seconds - 60,
    exp: seconds + 3600,
    oid: '33333333-3333-3333-3333-333333333333',
    tid: '22222222-2222-2222-2222-222222222222',
  }
  const parts = [{ alg: 'none', typ: 'JWT' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  return `${parts.join('.')}.x`
}

/** Azurite with identities: its certificate is trusted by these requests alone. */
function identityStack() {
  const agent = new Agent({ ca: readFileSync(process.env['AMPERE_AZURE_IDENTITY_CA'] ?? '') })
  const blobEndpoint = `${process.env['AMPERE_AZURE_IDENTITY']}/${EMULATOR.blobAccount}`
  const inner = createDefaultHttpClient()
  const send: HttpClient = {
    sendRequest: async (request) => inner.sendRequest(Object.assign(request, { agent })),
  }
  const outside: Fetch = async (request) => {
    const body = Buffer.from(await request.arrayBuffer())
    return new Promise((resolve, reject) => {
      const headers = { ...Object.fromEntries(request.headers), 'content-length': body.length }
      ask(request.url, { agent, method: request.method, headers }, (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () =>
          resolve(new Response(Buffer.concat(parts), { status: answer.statusCode ?? 0 })),
        )
      })
        .on('error', reject)
        .end(body)
    })
  }
  const naming = {
    cosmosEndpoint: 'https://nobody.test',
    database: 'ampere',
    blobEndpoint,
    vaultUrl: 'https://nobody.test',
    keys: { vault: {}, software: { container: 'keys', wrappedBy: {} } },
  }
  const credential = { getToken: async () => ({ token: token(), expiresOnTimestamp: Date.now() + HOUR_MS }) }
  return {
    outside,
    close: () => agent.destroy(),
    open: (more: Partial<AzureOptions> = {}) => openAzure({ naming, credential, send, ...more }),
    makeStores: async () => {
      for (const name of ['uploads', 'entries']) {
        const headers = { authorization: `Bearer ${token()}`, 'x-ms-version': '2024-11-04' }
        const url = `${blobEndpoint}/${name}?restype=container`
        const { status } = await outside(new Request(url, { method: 'PUT', headers }))
        if (status !== 201 && status !== 409) throw new Error(`the store was not made: ${status}`)
      }
    },
  }
}

const described = MISSING === undefined ? describe : describe.skip
described(`uploads that an identity signs${MISSING === undefined ? '' : ` (skipped: ${MISSING})`}`, () => {
  const stack = MISSING === undefined ? identityStack() : null
  const calls: AzureCall[] = []
  const clock = { now: Date.now() }
  const made: { platform?: Platform } = {}
  beforeAll(async () => {
    await stack?.makeStores()
    const options = { now: () => clock.now, observe: (call: AzureCall) => void calls.push(call) }
    if (stack) made.platform = stack.open(options)
  })
  afterAll(async () => {
    await made.platform?.close()
    stack?.close()
  })
  const offer = async (name: string, forMs = 60_000) => {
    const bytes = utf8(name)
    const terms = { bytes: bytes.length, sha256: hashOf(bytes), expiresMs: clock.now + forMs }
    const signed = await made.platform?.uploads?.offer(name, terms)
    if (!signed) throw new Error('nothing was signed')
    return signed
  }
  const asked = () => calls.filter(({ operation }) => operation === DELEGATE).length

  uploadsContract({
    name: 'Azure, with identities',
    uploads: true,
    ...(stack ? { outside: stack.outside } : {}),
    skips: { uploadTerms: 'Blob Storage signs neither length nor hash of what is put' },
    open: async () => {
      if (!stack) throw new Error('there is no emulator')
      await stack.makeStores()
      return { platform: stack.open(), reopen: async () => stack.open() }
    },
  })

  it('let nobody read, remove or list with the same URL', async () => {
    const { url, headers } = await offer('only.put')
    const send = async (method: string, to = url) => {
      const body = method === 'PUT' ? { body: utf8('only.put') } : {}
      return (await stack?.outside(new Request(to, { method, headers, ...body })))?.status
    }
    expect(await send('PUT')).toBe(201)
    for (const method of ['GET', 'DELETE', 'PUT']) expect([method, await send(method)]).toEqual([method, 403])
    expect(await send('PUT', `${url}&comp=block&blockid=AAAA`)).toBe(403)
    expect(await send('GET', url.replace('/only.put', '').concat('&restype=container&comp=list'))).toBe(403)
  })

  it('are signed by one key of the identity, which is asked for anew before it ends', async () => {
    for (const name of ['one', 'two']) await offer(`key.${name}`)
    expect(asked()).toBe(1)
    clock.now += 2 * HOUR_MS - 30_000
    const later = await offer('key.three')
    expect(asked()).toBe(2)
    const given = new URL(later.url).searchParams
    expect([given.get('sp'), given.get('spr'), given.get('sr')]).toEqual(['c', 'https', 'b'])
    expect(given.get('skoid')).toBe('33333333-3333-3333-3333-333333333333')
    expect(Date.parse(given.get('ske') ?? '')).toBeGreaterThanOrEqual(Date.parse(given.get('se') ?? ''))
  })
})
