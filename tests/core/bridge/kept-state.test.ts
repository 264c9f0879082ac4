// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, withFaults, type Fault } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { memoryTable } from '#adapters/memory/table.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import type { BlockId, ChainId } from '#core/bytes/ids.ts'
import { createRounds } from '#core/bridge/store/rounds.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import { tableSeen } from '#core/bridge/store/seen.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { seededRandom } from '#tests/kept-keys.ts'

const random = seededRandom(11)
const name = () => toBase64url(random(32))
const CHAIN = name() as ChainId
const headAt = (height: number) => ({ height, block: name() as BlockId, statement: `s${height}` })
const SECRET = random(32)

const seenIn = (table: WriteTable) => tableSeen(table, createSealedRows(SECRET, random))

describe('heads that were seen', () => {
  it('never become lower, whichever process saves', async () => {
    const table = memoryTable()
    const [a, b] = [seenIn(table), seenIn(table)]
    expect(await a.load(CHAIN)).toBeNull()
    const heads = [3, 9, 1, 7, 9, 4].map(headAt)
    await Promise.all(heads.map((head, at) => (at % 2 === 0 ? a : b).save(CHAIN, head)))
    expect(await b.load(CHAIN)).toEqual(heads.find(({ height }) => height === 9))
    await a.save(CHAIN, { ...headAt(12), earlier: ['s9', 's10'] })
    expect(await seenIn(table).load(CHAIN)).toMatchObject({ height: 12, earlier: ['s9', 's10'] })
  })

  it.each<Fault>(['not-applied', 'applied-unknown'])(
    'stay or advance whole when a call fails: %s',
    async (fault) => {
      for (let k = 0; ; k++) {
        const faults = withFaults(openMemory({ random }))
        const seen = seenIn(faults.platform.table('bridge'))
        await seen.save(CHAIN, headAt(1))
        const next = headAt(2)
        faults.plan(failAt(k, fault))
        const failed = await seen.save(CHAIN, next).then(
          () => false,
          () => true,
        )
        faults.plan(() => null)
        expect([1, 2]).toContain((await seen.load(CHAIN))?.height)
        await seen.save(CHAIN, next)
        expect(await seen.load(CHAIN)).toEqual(next)
        if (!failed) return
      }
    },
  )

  it('say nothing in the clear, and are not taken from another row', async () => {
    const table = memoryTable()
    const seen = seenIn(table)
    await seen.save(CHAIN, headAt(5))
    const [row] = await table.range('seen')
    expect(`${row?.key} ${Buffer.from(row?.value ?? []).toString('latin1')}`).not.toMatch(
      new RegExp(`${CHAIN}|s5`),
    )
    await expect(tableSeen(table, createSealedRows(random(32), random)).load(CHAIN)).resolves.toBeNull()
  })

  it('that are damaged are not taken for none', async () => {
    const table = memoryTable()
    const seen = seenIn(table)
    await seen.save(CHAIN, headAt(5))
    const [row] = await table.range('seen')
    if (!row) throw new Error('nothing was kept')
    await table.swap('seen', row.key, row.version, random(60))
    await expect(seen.load(CHAIN)).rejects.toMatchObject({ code: 'OPEN_FAILED' })
    await expect(seen.save(CHAIN, headAt(6))).rejects.toMatchObject({ code: 'OPEN_FAILED' })
  })
})

describe('rounds', () => {
  const setting = () => {
    const clock = { now: 1_000_000 }
    const table = memoryTable()
    return { clock, table, open: () => createRounds(table, { now: () => clock.now }) }
  }

  it('begin once in their time, for one of several processes', async () => {
    const { clock, open } = setting()
    const parts = await Promise.all([open(), open(), open()].map((rounds) => rounds.begin(3600, 900)))
    const begun = parts.filter((part) => part !== null)
    expect(begun).toHaveLength(1)
    await begun[0]?.end(null)
    clock.now += 3599
    expect(await open().begin(3600, 900)).toBeNull()
    clock.now += 1
    expect(await open().begin(3600, 900)).toMatchObject({ after: undefined })
  })

  it('go on where a part ended, by any process, without waiting', async () => {
    const { open } = setting()
    const part = await open().begin(3600, 900)
    await part?.end('row-7')
    expect(await open().begin(3600, 900)).toMatchObject({ after: 'row-7' })
  })

  it('are taken over from a process that died, from where the part before it ended', async () => {
    const { clock, open } = setting()
    await (await open().begin(3600, 900))?.end('row-7')
    const dead = await open().begin(3600, 900)
    clock.now += 899
    expect(await open().begin(3600, 900)).toBeNull()
    clock.now += 1
    const next = await open().begin(3600, 900)
    expect(next).toMatchObject({ after: 'row-7' })
    await next?.end('row-9')
    // It was not dead, only slow: it must not set back what the other did.
    await dead?.end('row-8')
    expect(await open().begin(3600, 900)).toMatchObject({ after: 'row-9' })
  })
})
