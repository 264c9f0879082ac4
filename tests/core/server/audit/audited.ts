// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { bridgeStore, signErased } from '#core/api/erased.ts'
import type { Block, BlockEntries, Grant } from '#core/block/block.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure, type Erasure } from '#core/client/acts/erase-entries.ts'
import type { TableName } from '#core/ports/needs.ts'
import { addErased, HOLDER_NEEDS } from '#core/server/holders.ts'
import { select } from '#core/ports/needs.ts'
import { loadBlock, objectName } from '#core/server/store/rows.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { attempts, entry, HOME, type Attempts } from '../attempts.ts'
import type { Saved } from '../resettable.ts'

/** A home with something of every kind in it: two records, epochs, grants, erasures of each scope, statements. */
export interface Audited extends Attempts {
  readonly access: ChainId
  /** A record that was erased as a whole. */
  readonly ended: ChainId
  /** All that was stored before anything was erased. */
  readonly before: Saved
  /** Heights in `record`: entries that stay, entries of which one was erased, entries that were all erased, the erasures. */
  readonly heights: {
    readonly kept: number
    readonly part: number
    readonly whole: number
    readonly erased: number
  }
  /** Height in `ended` of the erasure. */
  readonly endedAt: number
}

export async function audited(): Promise<Audited> {
  const at = await attempts()
  const { a, record } = at
  const access = (await a.replica(record)).link.state.access
  if (access === null) throw new Error('a record has an access chain')
  for (const chain of [record, access]) await grantBoth(at, chain)
  await a.append(record, [entry('two'), entry('three')])
  await rotateChain(a, record)
  const [gone] = await a.append(record, [entry('four')])
  const created = await createRecord(a, HOME, ['general'])
  await a.append(created.record, [entry('five')])
  const before = await at.store.save()
  const { opened } = await a.read(record)
  const part = opened.filter((item) => fromUtf8(item.content) === 'two')
  const entries = [...part, ...opened.filter((item) => item.height === gone?.height)]
  const erased = await erase(at, record, { scope: 'entries', entries, ground: 'misfiled' })
  const endedAt = await erase(at, created.record, { scope: 'record', entries: [], ground: 'legal-duty' })
  await handInStatement(at, erased)
  const heights = { kept: 2, part: part[0]?.height ?? 0, whole: gone?.height ?? 0, erased }
  return { ...at, access, ended: created.record, before, heights, endedAt }
}

async function grantBoth({ a, world }: Attempts, chain: ChainId): Promise<void> {
  const { link } = await a.replica(chain)
  const grant: Grant = {
    institution: world.institution('hospital-b').id,
    rights: link.state.purpose === 'record' ? ['append', 'read'] : ['append'],
    compartments: link.state.compartments.map((item) => item.id),
    until: null,
    limits: null,
  }
  await changeChain(a, chain, { grant: [grant] })
}

/** Erases after the delay. @returns the height of the completing block */
export async function erase({ a, world }: Attempts, chain: ChainId, what: Erasure): Promise<number> {
  const { instance, second } = world.institution('hospital-a')
  const request = await requestErasure(a, chain, what, { instances: [instance, second] })
  world.clock.now += 73 * 3_600_000
  return (await settleErasure(a, chain, request.block.height, 'complete')).block.height
}

async function handInStatement({ world, record }: Attempts, height: number): Promise<void> {
  const block = await loadBlock(world.platform.table('blocks'), record, height)
  const { id, instance } = world.institution('hospital-b')
  if (!block) throw new Error('no such block')
  const time = toTimestamp(world.clock.now)
  const statement = await signErased(
    { v: 1, chain: record, block: block.id, store: bridgeStore(id), at: time, backupsExpire: time },
    instance,
  )
  await addErased(await select(world.platform, HOLDER_NEEDS), world.home, record, statement)
}

/** Puts another value in a row's place; null removes it. */
export async function put(
  world: TestDeployment,
  table: TableName,
  partition: string,
  key: string,
  change: (text: string) => string | Uint8Array | null,
): Promise<void> {
  const store = world.platform.table(table)
  const row = await store.get(partition, key)
  if (!row) throw new Error(`no row ${table} ${key}`)
  const next = change(new TextDecoder().decode(row.value))
  await store.swap(partition, key, row.version, typeof next === 'string' ? utf8(next) : next)
}

export async function blockAt({ world }: Attempts, chain: ChainId, height: number): Promise<Block> {
  const found = await loadBlock(world.platform.table('blocks'), chain, height)
  if (!found) throw new Error(`no block ${height}`)
  return found.block
}

export async function entriesAt(at: Attempts, chain: ChainId, height: number): Promise<BlockEntries> {
  const { entries } = await blockAt(at, chain, height)
  if (!entries) throw new Error('entries are expected')
  return entries
}

/** Puts another object in the place of a block's. */
export async function putObject(
  at: Attempts,
  height: number,
  change: (object: Uint8Array) => Uint8Array | null,
): Promise<void> {
  const objects = at.world.platform.objects('entries')
  const name = objectName(at.record, (await entriesAt(at, at.record, height)).root)
  const object = await objects.fetch(name)
  if (!object) throw new Error('no such object')
  await objects.shred(name)
  const next = change(new Uint8Array(object))
  if (next) await objects.store(name, next)
}

/** What was stored before the erasures. */
export function rowBefore(at: Audited, table: TableName, partition: string, key: string): Uint8Array {
  const row = at.before.rows.find(
    (item) => item.table === table && item.partition === partition && item.key === key,
  )
  if (!row) throw new Error('there was no such row')
  return row.value
}

/** Another character in the middle of the signature, so that only the signature is wrong. */
export function forge(compact: string): string {
  const i = compact.length - 20
  return `${compact.slice(0, i)}${compact[i] === 'A' ? 'B' : 'A'}${compact.slice(i + 1)}`
}
