// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { AzureCall } from '#adapters/azure/open.ts'
import { BLOCK_ABOVE_BYTES } from '#adapters/azure/objects.ts'
import { azureStack, type Stack } from './stack.ts'

const CONTAINERS = 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers'
const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
const KEYS = 'Microsoft.KeyVault/vaults/keys'

/** What each call of a port asks: the actions that a role needs, and what its bill counts. */
describe('on Azure, each call of a port', () => {
  const calls: AzureCall[] = []
  const made: { stack?: Stack; platform?: Platform } = {}
  const stack = () => {
    if (!made.stack) throw new Error('the stack is not there')
    return made.stack
  }
  const open = (makesKeys = false) => stack().open({ makesKeys, observe: (call) => calls.push(call) })

  beforeAll(async () => {
    made.stack = await azureStack()
    made.platform = open(true)
  })
  afterAll(async () => {
    await made.platform?.close()
    await made.stack?.close()
  })

  const asked = async (act: (platform: Platform) => Promise<unknown>, platform = made.platform) => {
    calls.length = 0
    if (!platform) throw new Error('the platform is not open')
    await act(platform)
    return calls.map(({ operation, resource }) => `${operation} ${resource}`)
  }
  const ofTable = (action: string, name = 'wraps') =>
    `${CONTAINERS}/${action} dbs/${stack().naming.database}/colls/${name}`
  const ofStore = (action: string) =>
    `${BLOBS}/${action} blobServices/default/containers/${stack().naming.blobPrefix ?? ''}entries`

  it('of a table is one request for one action', async () => {
    const seen: { version: string | null } = { version: null }
    const swap = (to: string | null) => async (platform: Platform) => {
      seen.version = await platform.table('wraps').swap('p', 's', seen.version, to === null ? null : utf8(to))
    }
    expect(await asked((p) => p.table('wraps').get('p', 'k'))).toEqual([ofTable('items/read')])
    expect(await asked((p) => p.table('wraps').insert('p', 'k', utf8('v')))).toEqual([
      ofTable('items/create'),
    ])
    expect(await asked((p) => p.table('wraps').insert('p', 'k', utf8('v')))).toEqual([
      ofTable('items/create'),
    ])
    expect(await asked((p) => p.table('wraps').range('p', { limit: 5 }))).toEqual([ofTable('executeQuery')])
    expect(await asked(swap('a'))).toEqual([ofTable('items/create')])
    expect(await asked(swap('b'))).toEqual([ofTable('items/replace')])
    expect(await asked(swap(null))).toEqual([ofTable('items/delete')])
    expect(await asked((p) => p.table('wraps').swap('p', 'none', null, null))).toEqual([
      ofTable('items/read'),
    ])
  })

  it('of an object store is one request for one action, but for what is sent in blocks', async () => {
    const store = (size: number) => (p: Platform) =>
      p.objects('entries').store(`a/${size}`, new Uint8Array(size))
    expect(await asked(store(10))).toEqual([ofStore('write')])
    expect(await asked(store(10))).toEqual([ofStore('write')])
    expect(await asked((p) => p.objects('entries').fetch('a/10'))).toEqual([ofStore('read')])
    const range = { start: 1, end: 3 }
    expect(await asked((p) => p.objects('entries').fetch('a/10', range))).toEqual([ofStore('read')])
    expect(await asked((p) => p.objects('entries').shred('a/10'))).toEqual([ofStore('delete')])
    // Three blocks of up to 8 MiB, and the list of them.
    expect(await asked(store(BLOCK_ABOVE_BYTES + 1))).toEqual(
      Array.from({ length: 4 }, () => ofStore('write')),
    )
  })

  it('of a key of the vault reads it once, is challenged once for each client, and then is one request', async () => {
    const platform = open()
    const sign = async (p: Platform) => (await p.signer('instance')).sign(utf8('x'))
    const [read, use] = [`${KEYS}/read keys/sign-instance`, `${KEYS}/sign/action keys/sign-instance`]
    expect(await asked(sign, platform)).toEqual([read, read, use, use])
    expect(await asked(sign, platform)).toEqual([use])
    await platform.close()
  })

  it('of the key that unwraps needs no action but that, and to wrap the newest version is read', async () => {
    const [setup, role] = [open(true), open()]
    const seed = new Uint8Array(32).fill(3)
    const wrapped: { bytes?: Uint8Array } = {}
    const wrap = async (p: Platform) => (wrapped.bytes = await (await p.unwrapper('sealing')).wrap(seed))
    const unwrap = async (p: Platform) => (await p.unwrapper('sealing')).unwrap(wrapped.bytes ?? seed)
    const [read, wraps] = [`${KEYS}/read keys/unwrap-sealing`, `${KEYS}/wrap/action keys/unwrap-sealing`]
    expect(await asked(wrap, setup)).toEqual([read, read, wraps, wraps])
    const use = `${KEYS}/unwrap/action keys/unwrap-sealing`
    expect(await asked(unwrap, role)).toEqual([use, use])
    expect(await asked(unwrap, role)).toEqual([use])
    await setup.close()
    await role.close()
  })

  it('of a software key reads and unwraps its seed once, and then asks nobody', async () => {
    await made.platform?.signer('log')
    const role = open()
    const sign = async (p: Platform) => (await p.signer('log')).sign(utf8('x'))
    const use = `${KEYS}/unwrap/action keys/wrap-log`
    expect(await asked(sign, role)).toEqual([ofTable('items/read', 'keys'), use, use])
    expect(await asked(sign, role)).toEqual([])
    await role.close()
  })
})
