// SPDX-License-Identifier: Apache-2.0
import type { Container, SqlParameter } from '@azure/cosmos'
import { toHex, utf8, fromHex, fromUtf8 } from '#core/bytes/encoding.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Range, Row, RowName, WriteTable } from '#core/ports/table.ts'
import { statusOf, translate } from './errors.ts'

/**
 * Largest value of a row, in bytes: an item may have 2 MB as JSON, in which a value takes four thirds. The largest of a
 * home, a key row of 4,096 tombstones, has 0.5 MB.
 */
export const MAX_VALUE_BYTES = 1_400_000
/** Longest key of a row, in bytes of UTF-8: an id may have 1,023 characters. */
export const MAX_KEY_BYTES = 511
/** Longest name of a partition, in bytes of UTF-8. */
export const MAX_PARTITION_BYTES = 2048
const MAX_LIMIT = 1000

/** A row as Cosmos DB keeps it; its `_etag` is the row's version. */
interface Item {
  /** `k` and the key's UTF-8 in hex: ids may not hold / \ ? #, and hex sorts as bytes whatever compares it. */
  readonly id: string
  readonly pk: string
  /** The value in base64. */
  readonly v: string
}

/**
 * A table in a container of Cosmos DB NoSQL. Versions are ETags, which the service makes anew with each write of its one
 * write region, for an item that was removed and made again as well.
 */
export function azureTable(container: () => Promise<Container>): WriteTable {
  /** What `run` gives, or null where the service answers with one of `none`. */
  const act = <T>(run: (in_: Container) => Promise<T>, ...none: readonly number[]) =>
    translate('cosmos', async () => {
      try {
        return await run(await container())
      } catch (error) {
        if (none.includes(statusOf(error) ?? 0)) return null
        throw error
      }
    })
  const create = (item: Item) => act(async ({ items }) => etagOf(await items.create(item)), 409)
  const read = async (partition: string, id: string): Promise<Row | null> => {
    const answer = await act((in_) => in_.item(id, partition).read())
    return answer?.resource ? rowOf(answer.resource) : null
  }
  return {
    get: async (partition, key) => read(partition, idOf(partition, key)),
    range: async (partition, range = {}) => {
      checkPartition(partition)
      return (await act((in_) => query(in_, partition, range))) ?? []
    },
    insert: async (partition, key, value) =>
      (await create(itemOf(partition, key, value))) === null ? 'exists' : 'inserted',
    swap: async (partition, key, expected, next) => {
      const id = idOf(partition, key)
      const item = next && itemOf(partition, key, next)
      if (expected === null) {
        if (item) return create(item)
        return (await read(partition, id)) ? null : NOTHING
      }
      // What no header can carry is no version of ours.
      if (!/^[\x21-\x7e]{1,200}$/.test(expected)) return null
      const options = { accessCondition: { type: 'IfMatch', condition: expected } }
      const swapped = async (in_: Container) => {
        const there = in_.item(id, partition)
        if (item) return etagOf(await there.replace({ ...item }, options))
        await there.delete(options)
        return NOTHING
      }
      return act(swapped, 404, 412)
    },
  }
}

/** What a row that was removed has in place of a version; nothing is ever compared with it. */
const NOTHING = 'removed'

async function query(in_: Container, partition: string, range: Range): Promise<Row[]> {
  const limit = Math.min(range.limit ?? MAX_LIMIT, MAX_LIMIT)
  const parameters: SqlParameter[] = [{ name: '@pk', value: partition }]
  let where = 'c.pk = @pk'
  if (range.from !== undefined) {
    where += ' AND c.id >= @least'
    parameters.push({ name: '@least', value: encodeKey(range.from) })
  }
  if (range.to !== undefined) {
    where += ' AND c.id < @end'
    parameters.push({ name: '@end', value: encodeKey(range.to) })
  }
  const order = range.reverse === true ? 'DESC' : 'ASC'
  const text = `SELECT c.id, c.v, c._etag FROM c WHERE ${where} ORDER BY c.id ${order}`
  // An answer ends at 4 MB, however many rows were asked for.
  const pages = in_.items.query<unknown>(
    { query: text, parameters },
    { partitionKey: partition, maxItemCount: limit },
  )
  const rows: Row[] = []
  while (rows.length < limit && pages.hasMoreResults()) {
    const { resources } = await pages.fetchNext()
    for (const item of resources ?? []) rows.push(rowOf(item))
  }
  return rows.slice(0, limit)
}

/** @throws RangeError for what no item can hold */
function itemOf(partition: string, key: string, value: Uint8Array): Item {
  if (value.length > MAX_VALUE_BYTES)
    throw new RangeError(`a value in Cosmos DB is at most ${MAX_VALUE_BYTES} bytes`)
  const v = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  return { id: idOf(partition, key), pk: partition, v }
}

/** @throws RangeError for names that are too long */
function idOf(partition: string, key: string): string {
  checkPartition(partition)
  const id = encodeKey(key)
  if (id.length > 1 + 2 * MAX_KEY_BYTES)
    throw new RangeError(`a key in Cosmos DB is at most ${MAX_KEY_BYTES} bytes`)
  return id
}

function encodeKey(key: string): string {
  return `k${toHex(utf8(key))}`
}

function checkPartition(partition: string): void {
  if (partition === '' || utf8(partition).length > MAX_PARTITION_BYTES)
    throw new RangeError(`the name of a partition in Cosmos DB has 1 to ${MAX_PARTITION_BYTES} bytes`)
}

function etagOf({ etag }: { readonly etag?: string }): string {
  if (!etag) throw new Error('a write was answered without an ETag')
  return etag
}

/** Whoever holds the store can put anything there. */
function rowOf(item: unknown): Row {
  const { id, v, _etag: version } = item as { id?: unknown; v?: unknown; _etag?: unknown }
  if (typeof id !== 'string' || typeof v !== 'string' || typeof version !== 'string') throw damaged()
  const value = Buffer.from(v, 'base64')
  if (value.toString('base64') !== v) throw damaged()
  return { key: decodeKey(id), value: new Uint8Array(value), version }
}

/** Where the row of an item is; null where it is none of ours. */
export function nameOf(item: unknown): RowName | null {
  const { id, pk } = (item ?? {}) as { readonly id?: unknown; readonly pk?: unknown }
  if (typeof id !== 'string' || typeof pk !== 'string') return null
  try {
    return { partition: pk, key: decodeKey(id) }
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return null
    throw error
  }
}

function decodeKey(id: string): string {
  if (!/^k([0-9a-f]{2})*$/.test(id)) throw damaged()
  try {
    return fromUtf8(fromHex(id.slice(1)))
  } catch {
    throw damaged()
  }
}

function damaged(): AmpereError {
  return new AmpereError('STORE_CORRUPT', 'a row in Cosmos DB is damaged or is not one of ours')
}
