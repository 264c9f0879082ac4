// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '#core/bytes/encoding.ts'
import type { Random } from '#core/ports/keys.ts'
import type { Range, Row, WriteTable } from '#core/ports/table.ts'
import type { Dynamo } from './clients/dynamodb.ts'
import { isAnswer } from './errors.ts'
import { encodeKey, encodeValue, rowOf } from './rows/item.ts'

const MAX_LIMIT = 1000
const VERSION_BYTES = 16

/** What a row must be for a write to be done. */
interface Condition {
  readonly ConditionExpression: string
  readonly ExpressionAttributeNames: Record<string, string>
  readonly ExpressionAttributeValues?: Record<string, { S: string }>
}

/** A table of DynamoDB; every read is consistent, every write one conditional write of one item. */
export function awsTable(open: () => Promise<Dynamo>, table: string, random: Random): WriteTable {
  const newVersion = () => toBase64url(random(VERSION_BYTES))
  const put = async (partition: string, key: string, next: Uint8Array, condition: Condition) => {
    // Before anything is awaited: the buffer is the caller's again.
    const copy = new Uint8Array(next)
    const version = newVersion()
    const Item = { ...keyOf(partition, key), version: { S: version }, ...(await encodeValue(copy)) }
    const dynamo = await open()
    return ifTrue(version, () => dynamo.put({ TableName: table, Item, ...condition }))
  }
  return {
    get: async (partition, key) => {
      const Key = keyOf(partition, key)
      const { Item } = await (await open()).get({ TableName: table, Key, ConsistentRead: true })
      return Item ? rowOf(Item) : null
    },
    range: async (partition, range) => readRange(await open(), table, partition, range ?? {}),
    insert: async (partition, key, value) =>
      (await put(partition, key, value, ABSENT)) === null ? 'exists' : 'inserted',
    swap: async (partition, key, expected, next) => {
      const condition = expected === null ? ABSENT : hasVersion(expected)
      if (next) return put(partition, key, next, condition)
      const dynamo = await open()
      const Key = keyOf(partition, key)
      return ifTrue(newVersion(), () => dynamo.remove({ TableName: table, Key, ...condition }))
    },
  }
}

function keyOf(partition: string, key: string) {
  return { pk: encodeKey(partition), sk: encodeKey(key) }
}

const ABSENT: Condition = {
  ConditionExpression: 'attribute_not_exists(#pk)',
  ExpressionAttributeNames: { '#pk': 'pk' },
}

function hasVersion(version: string): Condition {
  return {
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':version': { S: version } },
  }
}

/** The version if the write was done, null if its condition did not hold. */
async function ifTrue(version: string, write: () => Promise<void>): Promise<string | null> {
  try {
    await write()
    return version
  } catch (error) {
    if (isAnswer(error, 'ConditionalCheckFailedException')) return null
    throw error
  }
}

async function readRange(dynamo: Dynamo, table: string, partition: string, range: Range): Promise<Row[]> {
  const limit = Math.min(range.limit ?? MAX_LIMIT, MAX_LIMIT)
  const keys = betweenOf(range)
  if (!keys) return []
  const rows: Row[] = []
  let last: Record<string, never> | undefined
  do {
    const page = await dynamo.query({
      TableName: table,
      ConsistentRead: true,
      ScanIndexForward: range.reverse !== true,
      KeyConditionExpression: `#pk = :pk${keys.expression}`,
      ExpressionAttributeNames: { '#pk': 'pk', ...(keys.expression ? { '#sk': 'sk' } : {}) },
      ExpressionAttributeValues: { ':pk': encodeKey(partition), ...keys.values },
      Limit: limit - rows.length + keys.more,
      ...(last ? { ExclusiveStartKey: last } : {}),
    })
    const read = await Promise.all((page.Items ?? []).map(rowOf))
    rows.push(...read.filter(({ key }) => key !== range.to))
    // An answer ends at 1 MB; only without this key there is no more.
    last = page.LastEvaluatedKey as typeof last
  } while (last && rows.length < limit)
  return rows.slice(0, limit)
}

/** DynamoDB takes one condition on the key, and the one with two bounds includes both; null for no key at all. */
function betweenOf({ from: low, to: high }: Range) {
  const values = {
    ...(low === undefined ? {} : { ':low': encodeKey(low) }),
    ...(high === undefined ? {} : { ':high': encodeKey(high) }),
  }
  if (low === undefined) return { values, expression: high === undefined ? '' : ' AND #sk < :high', more: 0 }
  if (high === undefined) return { values, expression: ' AND #sk >= :low', more: 0 }
  if (Buffer.compare(Buffer.from(low), Buffer.from(high)) >= 0) return null
  // One row more, because the upper bound may come along.
  return { values, expression: ' AND #sk BETWEEN :low AND :high', more: 1 }
}
