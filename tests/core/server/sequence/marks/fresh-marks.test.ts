// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { freshMarks, mergeFresh } from '#core/server/sequence/marks/fresh-marks.ts'
import { createMarkReader, MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import { CHAIN_CHARACTERS } from '#core/server/store/attempt.ts'
import { attempts, entry } from '../../attempts.ts'
import { logged, sequencerOf, settle } from './marked.ts'

/** A home with an entry that is marked and not logged, a warm sequencer, and where its marks are. */
async function scene() {
  const at = await attempts()
  await settle(at)
  const own = await sequencerOf(at)
  await own.run()
  at.world.clock.now += 1000
  await at.a.append(at.record, [entry('two')])
  const shard = at.record.slice(0, 1)
  const another = shard === 'A' ? 'B' : 'A'
  const looksOf = async (act: () => Promise<unknown>) => {
    at.faults.plan(() => null)
    await act()
    return at.faults.calls().filter((call) => call === 'table.dirty.range').length
  }
  return { at, own, shard, another, looksOf }
}

describe('a sequencer that is told where marks are new', () => {
  it('looks nowhere else, and logs what it finds there', async () => {
    const { at, own, shard, looksOf } = await scene()
    const fresh = new Map([[shard, at.world.clock.now]])
    expect(await looksOf(() => own.run(fresh))).toBe(1)
    expect(await logged(at)).toEqual([0, 1, 2, 3])
  })

  it('leaves what it is not told of to the next run that looks everywhere', async () => {
    const { at, own, another, looksOf } = await scene()
    const elsewhere = new Map([[another, at.world.clock.now]])
    expect(await looksOf(() => own.run(elsewhere))).toBe(1)
    expect(await looksOf(() => own.run(new Map()))).toBe(0)
    expect(await logged(at)).toEqual([0, 1, 2])
    expect(await own.run()).toMatchObject({ outcome: 'logged', added: 1 })
  })

  it('looks in a shard from where that was last read, whatever others were looked at since', async () => {
    const { at, own, shard, another } = await scene()
    for (let i = 0; i < 5; i++) {
      at.world.clock.now += MARK_LIFE_MS
      await own.run(new Map([[another, at.world.clock.now]]))
    }
    expect(await own.run(new Map([[shard, at.world.clock.now]]))).toMatchObject({ added: 1 })
  })

  it('reads a mark that came late where it is said to be, though its time was read before', async () => {
    const { at, own, shard } = await scene()
    const markedMs = at.world.clock.now
    const dirty = at.world.platform.table('dirty')
    const [mark] = await dirty.range(shard, { reverse: true, limit: 1 })
    if (!mark) throw new Error('there is no mark')
    await dirty.swap(shard, mark.key, mark.version, null)
    at.world.clock.now += 20_000
    await own.run()
    at.world.clock.now += 4_000
    await dirty.insert(shard, mark.key, mark.value)
    expect(await own.run(new Map([[shard, at.world.clock.now]]))).toMatchObject({ outcome: 'idle' })
    expect(await own.run(new Map([[shard, markedMs]]))).toMatchObject({ outcome: 'logged', added: 1 })
  })
})

describe('what a commit says is done', () => {
  it('ends where the shard that was read least far does', async () => {
    const { at, another } = await scene()
    const { now } = at.world.clock
    const reader = createMarkReader(at.world.platform.table('dirty'), toTimestamp(now - 5000))
    await reader.look(now, new Map([[another, now]]))
    expect(reader.cursor()).toBe(toTimestamp(now - 5000))
    await reader.look(now, new Map(CHAIN_CHARACTERS.split('').map((shard) => [shard, now])))
    for (const { chain, height } of reader.dirty()) reader.logged(chain, height)
    expect(reader.cursor()).toBe(toTimestamp(now))
  })
})

describe('where marks are new', () => {
  it('is the time of the oldest in each shard, and nowhere for what cannot be a mark', () => {
    const key = (time: string) => `${time}/AAAA/BBBB`
    const [early, late] = ['2026-11-23T14:05:00.000Z', '2026-11-23T14:06:00.000Z']
    const rows = [
      { partition: 'A', key: key(late) },
      { partition: 'A', key: key(early) },
      { partition: '-', key: key(late) },
      { partition: 'AB', key: key(late) },
      { partition: '', key: key(late) },
      { partition: 'B', key: 'no time' },
      { partition: 'C', key: key('2026-02-30T14:05:00.000Z') },
    ]
    expect([...freshMarks(rows)]).toEqual([
      ['A', Date.parse(early)],
      ['-', Date.parse(late)],
    ])
  })

  it('is all that both say, and everywhere where one says so', () => {
    const a = new Map([
      ['A', 2],
      ['B', 1],
    ])
    const b = new Map([
      ['A', 1],
      ['C', 3],
    ])
    expect([...(mergeFresh(a, b) ?? [])]).toEqual([
      ['A', 1],
      ['B', 1],
      ['C', 3],
    ])
    expect([mergeFresh(null, b), mergeFresh(a, null)]).toEqual([null, null])
  })
})
