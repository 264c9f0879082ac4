// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
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
})
