// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import type { AwsCall } from '#adapters/aws/clients/calls.ts'
import { asBlockId, asDigest } from '#core/bytes/ids.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { encodeKeyRow, type KeyRow } from '#core/block/key-row.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { describeOn, EMULATORS, makeStack, type Emulator } from './stack.ts'

const id = (length: number) => toBase64url(randomBytes(length))

/** The largest key row: every entry erased, each by another block. */
function largestKeyRow(): Uint8Array {
  const row: KeyRow = {
    v: 1,
    envelopes: Array.from({ length: 16 }, () => ({
      compartment: id(16),
      epoch: Number.MAX_SAFE_INTEGER,
      sealed: id(1168),
    })) as KeyRow['envelopes'],
    keys: Array.from({ length: 4096 }, () => ({ erased: asBlockId(id(32)), hash: asDigest(id(32)) })),
  }
  return encodeKeyRow(row)
}

/** The row of a monitor whose log has three notes of the largest size, as base64 as signatures are, and a whole edge. */
function largestMonitoredRow(): Uint8Array {
  const note = () => id((128 * 1024 * 3) / 4)
  return utf8(
    JSON.stringify({ notes: [note(), note(), note()], levels: Array.from({ length: 8 }, () => id(8192)) }),
  )
}

for (const emulator of Object.keys(EMULATORS) as Emulator[])
  describeOn(emulator, 'a table', () => {
    const held: { platform?: Platform; table?: WriteTable } = {}
    const calls: AwsCall[] = []
    beforeAll(async () => {
      const stack = await makeStack(emulator, { tables: ['wraps'], buckets: [] })
      held.platform = stack.open({ observe: (call) => void calls.push(call) })
      held.table = held.platform.table('wraps')
    })
    afterAll(async () => held.platform?.close())
    const table = () => held.table as WriteTable

    it('keeps the largest rows that there are in one item, by insert and by swap', async () => {
      for (const value of [largestKeyRow(), largestMonitoredRow()]) {
        expect(value.length).toBeGreaterThan(450_000)
        const key = id(8)
        calls.length = 0
        expect(await table().insert('large', key, value)).toBe('inserted')
        const row = await table().get('large', key)
        expect(Buffer.from(row?.value ?? []).equals(value)).toBe(true)
        expect(await table().swap('large', key, row?.version ?? null, value.subarray(1))).not.toBeNull()
        expect(await table().swap('large', key, row?.version ?? null, utf8('late'))).toBeNull()
        expect((await table().get('large', key))?.value).toHaveLength(value.length - 1)
        expect(calls.map(({ operation }) => operation.slice(9))).toEqual([
          'PutItem',
          'GetItem',
          'PutItem',
          'PutItem',
          'GetItem',
        ])
      }
    })

    it.each([389_999, 390_000, 390_001])(
      'keeps a value of %i bytes that is easily compressed',
      async (size) => {
        const value = new Uint8Array(size).fill(3)
        await table().insert('sizes', String(size), value)
        expect(Buffer.from((await table().get('sizes', String(size)))?.value ?? []).equals(value)).toBe(true)
      },
    )

    it('keeps 390,000 random bytes, and refuses what fits in no way before anything is sent', async () => {
      await table().insert('sizes', 'random', randomBytes(390_000))
      expect((await table().get('sizes', 'random'))?.value).toHaveLength(390_000)
      calls.length = 0
      for (const size of [410_000, 3_000_000])
        await expect(table().insert('sizes', 'more', randomBytes(size))).rejects.toMatchObject({
          code: 'TOO_LARGE',
          message: 'a row is larger than an item of DynamoDB, even compressed',
        })
      expect(calls).toEqual([])
    })

    it('follows the pages of 1 MB until there are enough rows, in both directions', async () => {
      const keys = Array.from({ length: 12 }, (_, i) => `key-${String(i).padStart(2, '0')}`)
      for (const key of keys) await table().insert('pages', key, randomBytes(300_000))
      const keysOf = async (range: object) => (await table().range('pages', range)).map(({ key }) => key)
      expect(await keysOf({})).toEqual(keys)
      expect(await keysOf({ reverse: true })).toEqual(keys.toReversed())
      expect(await keysOf({ limit: 7 })).toEqual(keys.slice(0, 7))
      expect(await keysOf({ from: 'key-01', to: 'key-11' })).toEqual(keys.slice(1, 11))
      expect(await keysOf({ from: 'key-01', to: 'key-11', limit: 10, reverse: true })).toEqual(
        keys.slice(1, 11).toReversed(),
      )
      expect(await keysOf({ from: 'key-01', to: 'key-11', limit: 1, reverse: true })).toEqual(['key-10'])
    })

    it('asks for one row where one is wanted', async () => {
      calls.length = 0
      await table().range('pages', { reverse: true, limit: 1 })
      expect(calls).toEqual([
        {
          service: 'dynamodb',
          operation: 'dynamodb:Query',
          resource: expect.stringMatching(/^table\/t\w+-wraps$/),
          context: { 'dynamodb:LeadingKeys': ['pages'] },
        },
      ])
    })

    it('has empty keys and partitions, and keys with NUL, in their order', async () => {
      const keys = ['', '\0', '\0\0', '\0a', 'a', 'a\0', 'b']
      for (const partition of ['', '\0', 'p']) {
        for (const key of keys.toReversed()) await table().insert(partition, key, utf8(key))
        const rows = await table().range(partition, {})
        expect(rows.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual(
          keys.map((key) => [key, key]),
        )
        expect((await table().range(partition, { from: '\0a', to: 'b' })).map(({ key }) => key)).toEqual([
          '\0a',
          'a',
          'a\0',
        ])
        expect((await table().get(partition, ''))?.key).toBe('')
      }
    })

    it.each([
      ['the same', 'b', 'b'],
      ['the wrong way round', 'c', 'b'],
      ['empty above', '', ''],
    ])('gives nothing for bounds that are %s', async (_, from, to) => {
      expect(await table().range('p', { from, to })).toEqual([])
    })

    it('removes what is not there without an error, as other tables do', async () => {
      expect(await table().swap('p', 'absent', null, null)).not.toBeNull()
      expect(await table().swap('p', 'absent', 'version', null)).toBeNull()
    })
  })
