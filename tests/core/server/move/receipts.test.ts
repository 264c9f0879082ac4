// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { parseTlogProof } from '#core/log/tlog-proof.ts'
import { receiveHome } from '#core/server/restore/receive.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { compareHomes } from '#core/server/compare/compare-homes.ts'
import { storedSource, type HomeSource } from '#core/server/copy/source.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { receiptFinder, type Receipt } from '#core/server/read/receipt.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome } from '#core/server/restore/restore.ts'
import {
  keepMovedReceipt,
  movedReceipts,
  putMovedReceipts,
  type MovedReceipts,
} from '#core/server/store/moved-receipts.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { entry, HOME } from '../attempts.ts'
import { movedWorld, type MovedWorld } from './moved-world.ts'

describe('a chain that was received while the witness was away', () => {
  let moved: MovedWorld
  let record: ChainId
  beforeAll(async () => {
    moved = await movedWorld()
    const { world, between, clock } = moved
    const a = world.connect('hospital-a', { policy: moved.policy })
    const made = await createRecord(a, HOME, ['general'])
    record = made.record
    await a.append(record, [entry('before')])
    const witness = between.get('http://w1.test')
    if (!witness) throw new Error('a witness is expected')
    between.delete('http://w1.test')
    await world.tendLog()
    clock.now += 1000
    expect((await moved.left.findReceipt(record, 2))?.level).toBe('logged')
    await moved.receive()
    between.set('http://w1.test', witness)
    for (let i = 0; i < 2; i++) {
      clock.now += 60_000
      await world.tendLog()
    }
    expect((await moved.left.findReceipt(record, 2))?.level).toBe('witnessed')
    await moved.move(a, [record, made.access])
  })

  it('has the witnessed receipts that the old log got since', async () => {
    const there = await moved.at('hospital-a')
    const view = await readReceipts(there, await there.replica(record))
    expect(view?.problems).toEqual([])
    expect(view?.statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'witnessed'])
  })

  it('is equal to a copy that has the witnessed ones alone, and not to one without them', async () => {
    const here = storedSource(await select(moved.platform, BACKUP_NEEDS))
    const withLevel = (level: string): HomeSource => ({
      ...here,
      moved: async (chain) => {
        const { receipts, notes } = await here.moved(chain)
        return { receipts: receipts.filter(({ row }) => row.level === level), notes }
      },
    })
    expect((await here.moved(record)).receipts).toHaveLength(6)
    expect((await compareHomes(here, withLevel('witnessed'))).differences).toEqual([])
    const { differences } = await compareHomes(here, withLevel('logged'))
    expect(differences).toContainEqual({ part: 'receipts', how: 'missing', where: record })
  })
})

describe('a copy with receipts that are not of the homes that its chains left', () => {
  let moved: MovedWorld
  let record: ChainId
  let own: Receipt
  let given: MovedReceipts
  beforeAll(async () => {
    moved = await movedWorld()
    const a = moved.world.connect('hospital-a', { policy: moved.policy })
    const made = await createRecord(a, HOME, ['general'])
    record = made.record
    await a.append(record, [entry('before')])
    await moved.world.tendLog()
    await moved.move(a, [record, made.access])
    // The home has blocks 0 to 2 of another log, block 3 of its own, and no more.
    const find = receiptFinder(await select(moved.platform, READER_NEEDS), moved.policy)
    own = must(await find(record, 3))
    const table = openMemory({ now: () => moved.clock.now }).table('receipts')
    const old = must(await find(record, 1))
    for (const [height, receipt] of [
      [0, own],
      [1, old],
      [3, old],
      [4, old],
    ] as const)
      await keepMovedReceipt(table, record, height, receipt)
    given = await movedReceipts(table, record)
  })

  it('is restored without them, and with those that are', async () => {
    const back: Platform = {
      ...openMemory({ now: () => moved.clock.now }),
      signer: (name) => moved.platform.signer(name),
    }
    const { pinned } = moved.home.registry
    const registry = createRegistrySource(back.table('registry'), pinned, createVerifiers())
    const stored = storedSource(await select(moved.platform, BACKUP_NEEDS))
    const source = {
      ...stored,
      moved: async (chain: ChainId) => (chain === record ? given : stored.moved(chain)),
    }
    const options = { seen: [], policy: moved.policy, acceptLoss: false }
    await restoreHome(source, await select(back, RESTORE_NEEDS), { ...moved.home, registry }, options)
    const kept = await movedReceipts(back.table('receipts'), record)
    expect(kept.receipts.map(({ height }) => height)).toEqual([1])
    expect(kept.notes).toHaveLength(1)
    // Of what they were not given for there is none, and never that of this log.
    const find = receiptFinder(await select(back, READER_NEEDS), moved.policy)
    expect(await find(record, 0)).toBeNull()
    expect((await find(record, 1))?.proof).toContain('home.test/log')
    expect(await find(record, 3)).toEqual(own)
    expect(await find(record, 4)).toBeNull()
  })

  it('does not make a home give them, where they got into its stores', async () => {
    const tables = { ...(await select(moved.platform, READER_NEEDS)).tables }
    const planted = openMemory({ now: () => moved.clock.now }).table('receipts')
    await putMovedReceipts(planted, record, given)
    const { objects } = await select(moved.platform, READER_NEEDS)
    const ports = { tables: { ...tables, receipts: planted }, objects }
    const find = receiptFinder(ports, moved.policy)
    expect(await find(record, 3)).toEqual(own)
    expect(await find(record, 0)).toBeNull()
    expect(await find(record, 4)).toBeNull()
    expect((await find(record, 1))?.level).toBe('witnessed')
  })

  it('leaves the blocks before the move promised, or overdue, where it has none of them', async () => {
    const ports = await select(moved.platform, READER_NEEDS)
    const receipts = openMemory({ now: () => moved.clock.now }).table('receipts')
    const bare = receiptFinder({ ...ports, tables: { ...ports.tables, receipts } }, moved.policy)
    const there = await moved.at('hospital-a')
    const receipt: typeof there.api.receipt = async (chain, _, height) =>
      (await bare(chain, height))?.proof ?? null
    const answering = { ...there, api: { ...there.api, receipt } }
    const view = await readReceipts(answering, await there.replica(record))
    expect(view?.statuses).toEqual(['promised', 'promised', 'promised', 'witnessed'])
    expect(view?.problems).toEqual([])
  })
})

it('comes back to the home that it left, in whose log it goes on behind what is there', async () => {
  const moved = await movedWorld()
  const { world, policy } = moved
  const a = world.connect('hospital-a', { policy })
  const { record, access } = await createRecord(a, HOME, ['general'])
  await world.tendLog()
  moved.clock.now += 1000
  await moved.move(a, [record, access])
  const there = await moved.at('hospital-a')
  moved.clock.now += 1000
  for (const chain of [record, access]) await moveChain(there, chain, HOME)
  await (await moved.serve()).tendLog()
  const { deployment, origin } = moved.home
  const source = storedSource(await select(moved.platform, BACKUP_NEEDS))
  const findReceipt = receiptFinder(await select(moved.platform, READER_NEEDS), policy)
  const from = { deployment, origin, source, findReceipt }
  await receiveHome(from, await select(world.platform, RESTORE_NEEDS), world.home)
  await world.tendLog()
  const again = world.connect('hospital-a', { policy })
  await again.append(record, [entry('after')])
  await world.tendLog()
  const view = await readReceipts(again, await again.replica(record))
  expect(view?.problems).toEqual([])
  expect(view?.statuses).toEqual(Array(5).fill('witnessed'))
  const { notes } = await again.replica(record)
  const logs = await Promise.all(
    notes.map(async ({ id, height }) => {
      const receipt = await again.api.receipt(record, id, height)
      return checkpointIn(parseTlogProof(receipt ?? '').note).origin
    }),
  )
  const [old, between] = ['home.test/log', 'new.test/log']
  expect(logs).toEqual([old, old, between, old, old])
})

function must<T>(value: T | null): T {
  if (value === null) throw new Error('a receipt is expected')
  return value
}
