// SPDX-License-Identifier: Apache-2.0
import type { BlockId, ChainId } from '../../bytes/ids.ts'
import type { BlockEntries, EraseBlock } from '../../block/block.ts'
import { readDescriptors } from '../../block/entries-object.ts'
import { checkedRow, encodeKeyRow, type KeyRow } from '../../block/key-row.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { objectName, rowKey } from '../store/rows.ts'
import type { GapRule } from './gaps.ts'
import type { HomeStores } from './stores.ts'
import type { HomeSource } from './source.ts'

/** A block whose key row is copied. */
interface Aimed {
  readonly chain: ChainId
  readonly height: number
  readonly entries: BlockEntries
}

type Erasures = readonly ParsedBlock<EraseBlock>[]

/**
 * Copies the key row of a block. What the copy has stays, but for tombstones that no completed erasure ordered: the row is
 * asked for again while it has any, and takes the wrapped keys that come. A row of such tombstones alone is not stored.
 * @returns `destroyed-key` while such tombstones are left; what is wrong with the row; null for a good one
 */
export async function copyRow(
  source: HomeSource,
  to: HomeStores,
  aimed: Aimed,
  erasures: Erasures,
): Promise<GapRule | null> {
  const { chain, entries } = aimed
  const { wraps } = to.tables
  const name = rowKey(entries)
  const there = await wraps.get(chain, name)
  const before = there && checkedRow(entries, there.value)
  if (before && (await unordered(to, aimed, erasures, before)).length === 0) return null
  const bytes = await source.keyRow(chain, name)
  const given = bytes && checkedRow(entries, bytes)
  if (given?.keys.length !== entries.count) {
    if (before) return 'destroyed-key'
    return bytes ? 'keys-root' : 'keys-row'
  }
  const row = before ? await refilled(to, aimed, erasures, before, given) : given
  const left = await unordered(to, aimed, erasures, row)
  if (left.length < row.keys.length) await wraps.swap(chain, name, there?.version ?? null, encodeKeyRow(row))
  return left.length > 0 ? 'destroyed-key' : null
}

/** The row of the copy with wrapped keys in the place of those tombstones that nobody ordered. */
async function refilled(
  to: HomeStores,
  aimed: Aimed,
  erasures: Erasures,
  before: KeyRow,
  given: KeyRow,
): Promise<KeyRow> {
  const wanted = new Set(await unordered(to, aimed, erasures, before))
  return { ...before, keys: before.keys.map((key, i) => (wanted.has(i) ? (given.keys[i] ?? key) : key)) }
}

/** Places of the tombstones that no completed erasure ordered. */
async function unordered(
  to: HomeStores,
  aimed: Aimed,
  erasures: Erasures,
  { keys }: KeyRow,
): Promise<readonly number[]> {
  const tombs = keys.flatMap((key, i) => ('erased' in key ? [{ i, by: key.erased }] : []))
  if (tombs.length === 0) return []
  const orders = new Map<BlockId, Set<number> | number>()
  for (const erasure of erasures) orders.set(erasure.id, await ordered(to, aimed, erasure))
  const explained = new Map<BlockId, number>()
  return tombs.flatMap(({ i, by }) => {
    const order = orders.get(by) ?? 0
    if (typeof order !== 'number') return order.has(i) ? [] : [i]
    const sofar = (explained.get(by) ?? 0) + 1
    explained.set(by, sofar)
    return sofar <= order ? [] : [i]
  })
}

/** The keys that an erasure orders to be destroyed; how many, where the object that says which is gone. */
async function ordered(
  { objects }: HomeStores,
  { chain, height, entries }: Aimed,
  { block: { body, height: above } }: ParsedBlock<EraseBlock>,
): Promise<Set<number> | number> {
  if (body.scope === 'record') return height < above ? entries.count : 0
  const ids = new Set(body.targets.flatMap((target) => (target.height === height ? target.ids : [])))
  if (ids.size === 0 || ids.size >= entries.count) return ids.size
  const object = await objects.entries.fetch(objectName(chain, entries.root))
  if (!object) return ids.size
  return new Set(readDescriptors(object).flatMap(({ id }, i) => (ids.has(id) ? [i] : [])))
}
