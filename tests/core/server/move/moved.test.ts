// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { parseBlock } from '#core/block/open-block.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import type { Connection } from '#core/client/connect.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { select } from '#core/ports/needs.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { logReceiptFinder } from '#core/server/read/receipt.ts'
import { dirtyShard, markOf } from '#core/server/store/attempt.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { entry, HOME } from '../attempts.ts'
import { movedWorld, NEW_HOME, OLD_ORIGIN, type MovedWorld } from './moved-world.ts'

/** A record that moved, with a block before and one after. */
async function movedRecord(): Promise<{ moved: MovedWorld; a: Connection; record: ChainId }> {
  const moved = await movedWorld()
  const a = moved.world.connect('hospital-a', { policy: moved.policy })
  const { record, access } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('before')])
  await moved.world.tendLog()
  moved.clock.now += 1000
  await moved.receive()
  await moved.move(a, [record, access])
  return { moved, a, record }
}

describe('a record that was moved to another home', () => {
  let moved: MovedWorld
  let a: Connection
  let there: Connection
  let record: ChainId
  beforeAll(async () => {
    ;({ moved, a, record } = await movedRecord())
    there = await moved.at('hospital-a')
    await there.append(record, [entry('after')])
    await (await moved.serve()).tendLog()
  })

  it('goes on there, and is read there from its beginning', async () => {
    const { opened } = await there.read(record)
    expect(opened.map(({ content }) => new TextDecoder().decode(content))).toEqual(['before', 'after'])
  })

  it('has a receipt of each block, of the log of the home that the state after it names', async () => {
    const view = await readReceipts(there, await there.replica(record))
    expect(view?.problems).toEqual([])
    expect(view?.statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'witnessed', 'witnessed'])
    const logs: string[] = []
    for (const { id, height } of (await there.replica(record)).notes) {
      const text = await there.api.receipt(record, id, height)
      logs.push(/\n\n([^\n]+)\n\d+\n/.exec(text ?? '')?.[1] ?? '')
    }
    const [old, now] = ['home.test/log', 'new.test/log']
    expect(logs).toEqual([old, old, old, now, now])
  })

  it('is exported with the receipts of both logs, and verifies without either home', async () => {
    const bytes = await exportRecord(there, record)
    const report = await verifyExport(bytes, { registry: moved.world.registryId, policy: moved.policy })
    expect(report).toMatchObject({ blocks: 5, origin: NEW_HOME.origin, receipts: 5, problems: [] })
    expect(report.statuses).toEqual(Array(5).fill('witnessed'))
  })

  it('is not taken from a file that says it is by the home that it left', async () => {
    const text = new TextDecoder().decode(await exportRecord(there, record))
    const swapped = text.replace(`"origin":"${NEW_HOME.origin}"`, `"origin":"${OLD_ORIGIN}"`)
    const verified = verifyExport(new TextEncoder().encode(swapped), { registry: moved.world.registryId })
    await expect(verified).rejects.toMatchObject({ message: expect.stringContaining('rule home') })
  })

  it('is pointed at by the home that it left, which takes nothing more', async () => {
    const pointer = { code: 'CHAIN_MOVED', message: expect.stringContaining(NEW_HOME.origin) }
    await expect(a.read(record)).rejects.toMatchObject(pointer)
    await expect(a.append(record, [entry('late')])).rejects.toMatchObject(pointer)
    await expect(moveChain(a, record, NEW_HOME)).rejects.toMatchObject(pointer)
    expect((await a.api.blocks(record, 0)).items).toHaveLength(4)
  })

  it.each([
    ['its rehome', 3],
    ['a block that came after it', 4],
  ])('is not vouched for by the old log, where that logs %s too', async (_, height) => {
    await loggedByTheOldHome(moved, record, 4, (await there.api.blocks(record, 4)).items[0] ?? '')
    expect(await moved.left.findReceipt(record, height)).toBeNull()
    const ports = await select(moved.world.platform, READER_NEEDS)
    const old = await logReceiptFinder(ports, moved.policy)(record, height)
    expect(old?.proof).toContain('home.test/log')
    const receipt: typeof there.api.receipt = async (chain, id, at) =>
      at === height ? (old?.proof ?? null) : there.api.receipt(chain, id, at)
    const answering = { ...there, api: { ...there.api, receipt } }
    const view = await readReceipts(answering, await there.replica(record))
    expect(view?.problems).toMatchObject([{ height, status: 'tampered', rule: 'receipt' }])
    expect(view?.receipts[height]).toBeNull()
  })
})

/** An old home that puts into its log what it may not take any more. */
async function loggedByTheOldHome(
  { world }: MovedWorld,
  chain: ChainId,
  height: number,
  compact: string,
): Promise<void> {
  await world.platform.table('blocks').insert(chain, heightKey(height), utf8(compact))
  const mark = markOf(parseBlock(compact), world.clock.now)
  await world.platform.table('dirty').insert(dirtyShard(chain), mark.key, mark.value)
  await world.tendLog()
}
