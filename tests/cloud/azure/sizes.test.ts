// SPDX-License-Identifier: Apache-2.0
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { BLOCK_ABOVE_BYTES } from '#adapters/azure/objects.ts'
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from '#adapters/azure/table.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Platform } from '#core/ports/needs.ts'
import { azureStack, type Stack } from './stack.ts'

const made: { stack?: Stack; platform?: Platform } = {}
const platform = () => {
  if (!made.platform) throw new Error('the platform is not open')
  return made.platform
}
beforeAll(async () => {
  made.stack = await azureStack()
  made.platform = made.stack.open()
})
afterAll(async () => {
  await made.platform?.close()
  await made.stack?.close()
})

/** Bytes of a size of which no two blocks are alike. */
function bytesOf(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  const words = new DataView(bytes.buffer)
  for (let at = 0; at + 4 <= size; at += 4096) words.setUint32(at, at ^ seed)
  return bytes
}
const isSame = (found: Uint8Array | null, bytes: Uint8Array) =>
  found !== null && Buffer.compare(found, bytes) === 0

describe('an object on Azure that is sent in blocks', () => {
  const SIZE = BLOCK_ABOVE_BYTES + 5_000_001

  it('is whole, and never changed once stored', async () => {
    const store = platform().objects('entries')
    const bytes = bytesOf(SIZE, 1)
    expect(await store.store('large/one', bytes)).toBe('stored')
    expect(isSame(await store.fetch('large/one'), bytes)).toBe(true)
    const [start, end] = [BLOCK_ABOVE_BYTES - 10, BLOCK_ABOVE_BYTES + 10]
    expect(await store.fetch('large/one', { start, end })).toEqual(bytes.slice(start, end))
    expect(await store.store('large/one', bytesOf(SIZE, 2))).toBe('exists')
    expect(isSame(await store.fetch('large/one'), bytes)).toBe(true)
  })

  it('is that of one of two writers at once, and of no mix of them', async () => {
    const store = platform().objects('entries')
    const given = [bytesOf(SIZE, 3), bytesOf(SIZE, 4)]
    const outcomes = await Promise.all(given.map((bytes) => store.store('large/raced', bytes)))
    expect(outcomes.toSorted()).toEqual(['exists', 'stored'])
    const winner = given[outcomes.indexOf('stored')]
    expect(isSame(await store.fetch('large/raced'), winner ?? new Uint8Array(0))).toBe(true)
  })
})

describe('an object on Azure', () => {
  it.each([10, BLOCK_ABOVE_BYTES + 1])(
    'of %i bytes that was damaged on the way is not stored',
    async (size) => {
      const inner = createDefaultHttpClient()
      const send: HttpClient = {
        sendRequest: async (request) => {
          if (request.method === 'PUT' && Buffer.isBuffer(request.body)) {
            const bytes = Buffer.from(request.body)
            bytes[3] = 0xff
            request.body = bytes
          }
          return inner.sendRequest(request)
        },
      }
      const damaging = made.stack?.open({ send })
      const store = damaging?.objects('entries').store(`damaged/${size}`, new Uint8Array(size))
      await expect(store).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await damaging?.close()
      expect(await platform().objects('entries').fetch(`damaged/${size}`)).toBeNull()
    },
  )

  it('may have a name that a blob may not', async () => {
    const store = platform().objects('entries')
    for (const name of ['a./b', 'a../b', 'a/b.', 'a/b']) await store.store(name, utf8(name))
    for (const name of ['a./b', 'a../b', 'a/b.', 'a/b']) expect(await store.fetch(name)).toEqual(utf8(name))
  })

  it('gives no bytes of an empty range, and null where it is not there', async () => {
    const store = platform().objects('entries')
    await store.store('range', utf8('text'))
    expect(await store.fetch('range', { start: 2, end: 2 })).toEqual(new Uint8Array(0))
    expect(await store.fetch('no-range', { start: 2, end: 2 })).toBeNull()
  })
})

describe('a row on Azure', () => {
  it('holds what a key row or a state can have, and refuses what no item can', async () => {
    const table = platform().table('wraps')
    const bytes = bytesOf(MAX_VALUE_BYTES, 5)
    expect(await table.insert('sizes', 'largest', bytes)).toBe('inserted')
    expect(isSame((await table.get('sizes', 'largest'))?.value ?? null, bytes)).toBe(true)
    const tooLarge = new Uint8Array(MAX_VALUE_BYTES + 1)
    await expect(table.insert('sizes', 'larger', tooLarge)).rejects.toThrow(RangeError)
    await expect(table.swap('sizes', 'larger', null, tooLarge)).rejects.toThrow(RangeError)
  })

  it('has a key of any characters, of up to 511 bytes, and a partition too', async () => {
    const table = platform().table('wraps')
    const keys = ['/', '\\', '?#', '', ' ', '"\'', '../..', 'é'.repeat(255), 'x'.repeat(MAX_KEY_BYTES)]
    for (const key of keys)
      for (const partition of ['names', 'a/b?#\\"é']) await table.insert(partition, key, utf8(key))
    for (const partition of ['names', 'a/b?#\\"é']) {
      for (const key of keys) expect((await table.get(partition, key))?.value).toEqual(utf8(key))
      expect((await table.range(partition)).map(({ key }) => key)).toEqual(
        keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))),
      )
    }
    await expect(table.get('names', 'x'.repeat(MAX_KEY_BYTES + 1))).rejects.toThrow(RangeError)
    await expect(table.range('')).rejects.toThrow(RangeError)
  })

  it('is in a range of up to a thousand, whatever the limit', async () => {
    const table = platform().table('dirty')
    const keys = Array.from({ length: 30 }, (_, i) => String(i).padStart(4, '0'))
    await Promise.all(keys.map((key) => table.insert('pages', key, utf8(key))))
    const found = async (range: object) => (await table.range('pages', range)).map(({ key }) => key)
    expect(await found({ limit: 7 })).toEqual(keys.slice(0, 7))
    expect(await found({ limit: 7, reverse: true, to: '0020' })).toEqual(keys.slice(13, 20).toReversed())
    expect(await found({ from: '0025', limit: 5000 })).toEqual(keys.slice(25))
    expect(await found({ from: '0025', to: '0025' })).toEqual([])
  })
})
