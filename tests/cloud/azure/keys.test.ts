// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { createVerifier } from '#core/crypto/signature.ts'
import type { Platform } from '#core/ports/needs.ts'
import { openAzure } from '#adapters/azure/open.ts'
import { azureStack, CREDENTIAL, type Stack } from './stack.ts'

describe('keys on Azure', () => {
  const made: { stack?: Stack } = {}
  const opened: Platform[] = []
  const open = (makesKeys: boolean) => {
    if (!made.stack) throw new Error('the stack is not there')
    const platform = made.stack.open({ makesKeys })
    opened.push(platform)
    return platform
  }
  beforeAll(async () => {
    made.stack = await azureStack()
  })
  afterAll(async () => {
    for (const platform of opened) await platform.close()
    await made.stack?.close()
  })

  it('are made by what sets a deployment up, and by no role', async () => {
    await expect(open(false).signer('witness')).rejects.toMatchObject({
      code: 'KEY_UNAVAILABLE',
      message: 'the key witness was not made when this deployment was set up',
    })
    const { kid } = await open(true).signer('witness')
    expect((await open(false).signer('witness')).kid).toBe(kid)
  })

  it('are the same for two that set a deployment up at once', async () => {
    const [one, other] = await Promise.all([
      open(true).signer('log-quantum'),
      open(true).signer('log-quantum'),
    ])
    expect(one.kid).toBe(other.kid)
  })

  it('of the vault sign with the version that a process began with, and new processes with the newest', async () => {
    const first = await open(false).signer('controller')
    made.stack?.vault.create('sign-controller', 'EC', ['sign'])
    const second = await open(false).signer('controller')
    expect(second.kid).not.toBe(first.kid)
    for (const signer of [first, second]) {
      const verifier = await createVerifier(signer.publicKey)
      expect(await verifier.verify(utf8('x'), await signer.sign(utf8('x')))).toBe(true)
    }
  })

  it('still unwrap what an older version wrapped', async () => {
    const seed = new Uint8Array(32).fill(7)
    const wrapped = await (await open(true).unwrapper('sealing')).wrap(seed)
    made.stack?.vault.create('unwrap-sealing', 'RSA', ['wrapKey', 'unwrapKey'])
    const newer = await (await open(true).unwrapper('sealing')).wrap(seed)
    expect(newer.subarray(0, 16)).not.toEqual(wrapped.subarray(0, 16))
    for (const bytes of [wrapped, newer])
      expect(await (await open(false).unwrapper('sealing')).unwrap(bytes)).toEqual(seed)
  })

  it('do not open when the seed of another name was put in their place', async () => {
    const platform = open(true)
    await platform.signer('log')
    await platform.signer('head')
    const software = made.stack?.naming.keys.software.container ?? ''
    const seeds = platform.table(software as never)
    const [log, head] = [await seeds.get('keys', 'log'), await seeds.get('keys', 'head')]
    await seeds.swap('keys', 'log', log?.version ?? null, head?.value ?? null)
    await expect(open(false).signer('log')).rejects.toMatchObject({ code: 'OPEN_FAILED' })
  })

  it('say which is missing, of which kind it should be, and what may not be done with it', async () => {
    const { naming, vault } = made.stack ?? (await azureStack())
    const keys = { ...naming.keys, vault: { ...naming.keys.vault, instance: 'sign-nobody' } }
    const other = made.stack?.open({ naming: { ...naming, keys } })
    await expect(other?.signer('instance')).rejects.toMatchObject({
      code: 'KEY_UNAVAILABLE',
      message: 'the vault has no key sign-nobody: it is made when a deployment is set up',
    })
    vault.create('sign-nobody', 'RSA', ['sign'])
    await expect(other?.signer('instance')).rejects.toMatchObject({
      code: 'KEY_UNAVAILABLE',
      message: 'the vault key sign-nobody is not a P-256 key',
    })
    await other?.close()
    const signer = await open(false).signer('institution')
    vault.deny('sign')
    await expect(signer.sign(utf8('x'))).rejects.toMatchObject({
      code: 'KEY_UNAVAILABLE',
      message: expect.stringContaining('Microsoft.KeyVault/vaults/keys/sign/action on keys/sign-institution'),
    })
    vault.deny()
    expect(await signer.sign(utf8('x'))).toHaveLength(64)
  })

  it.each([
    [
      'cosmosEndpoint',
      'http://ampere.documents.azure.com',
      'cosmosEndpoint, the address of Cosmos DB, is not an https URL',
    ],
    ['blobEndpoint', 'ampere', 'blobEndpoint, the address of Blob Storage, is not an https URL'],
    ['vaultUrl', 'ftp://vault', 'vaultUrl, the address of Key Vault, is not an https URL'],
    ['database', 'a/b', '"a/b" is no name of a database, container or key'],
  ])('and all else are not looked for where %s is %s', (member, value, message) => {
    const naming = { ...made.stack?.naming, [member]: value } as Stack['naming']
    expect(() => openAzure({ naming, credential: CREDENTIAL })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message }),
    )
  })

  it('are refused where two names have one vault key', () => {
    const naming = made.stack?.naming as Stack['naming']
    const software = { ...naming.keys.software, wrappedBy: { head: 'wrap-log', log: 'wrap-log' } }
    expect(() =>
      openAzure({ naming: { ...naming, keys: { ...naming.keys, software } }, credential: CREDENTIAL }),
    ).toThrow('the vault key wrap-log is named for two uses: each has its own')
  })
})
