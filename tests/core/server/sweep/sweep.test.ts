// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, type Fault } from '#adapters/around/faults.ts'
import { rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { SWEEP_STALE_MS } from '#core/server/sweep/sweep.ts'
import {
  attempts,
  auditNow,
  callsOf,
  census,
  DAY_MS,
  entry,
  failCommits,
  HOME,
  mend,
  restoring,
  signAgain,
  sweepNow,
  texts,
  type Attempts,
} from '../attempts.ts'

/** Fails one attempt of each kind: entries, an epoch, a chain. */
async function failEach(at: Attempts): Promise<void> {
  failCommits(at)
  await expect(at.a.append(at.record, [entry('lost')])).rejects.toMatchObject({ code: 'STORE_FULL' })
  await expect(rotateChain(at.a, at.record)).rejects.toMatchObject({ code: 'STORE_FULL' })
  await expect(createRecord(at.a, HOME, ['general'])).rejects.toMatchObject({ code: 'STORE_FULL' })
  mend(at)
}

describe('the sweep', () => {
  it('removes all that was stored for blocks that never committed, seven days after, and nothing else', async () => {
    const at = await attempts()
    const before = await census(at)
    await failEach(at)
    const between = await census(at)
    for (const store of ['chains', 'labels', 'objects', 'packages', 'states', 'wraps'])
      expect(between[store]?.length).toBeGreaterThan(before[store]?.length ?? 0)
    at.world.clock.now += 7 * DAY_MS - 1
    expect((await sweepNow(at.world)).failed).toBe(0)
    expect(await census(at)).toEqual(between)
    at.world.clock.now += 2
    const report = await sweepNow(at.world)
    expect(await census(at)).toEqual(before)
    expect(report.removed).toEqual({ objects: 1, wraps: 1, packages: 2, labels: 2, states: 2, chains: 1 })
    expect(await texts(at)).toEqual(['one'])
    expect((await auditNow(at.world)).findings).toEqual([])
  })

  it('looks at each mark once', async () => {
    const at = await attempts()
    await failEach(at)
    at.world.clock.now += 8 * DAY_MS
    expect((await sweepNow(at.world)).marks).toBeGreaterThan(5)
    await at.a.append(at.record, [entry('two')])
    expect((await sweepNow(at.world)).marks).toBe(0)
    at.world.clock.now += 8 * DAY_MS
    expect(await sweepNow(at.world)).toMatchObject({ marks: 1, failed: 0 })
  })

  it('keeps parts that a later block names, and those that were tried again within seven days', async () => {
    const at = await attempts()
    failCommits(at)
    await expect(at.a.append(at.record, [entry('late')])).rejects.toBeDefined()
    const late = at.sent.at(-1)
    await expect(at.a.append(at.record, [entry('later')])).rejects.toBeDefined()
    const later = at.sent.at(-1)
    mend(at)
    if (!late || !later) throw new Error('both were sent')
    at.world.clock.now += 5 * DAY_MS
    await at.a.submit(await signAgain(at, late))
    failCommits(at)
    await expect(at.a.submit(await signAgain(at, later))).rejects.toBeDefined()
    mend(at)
    at.world.clock.now += 5 * DAY_MS
    await sweepNow(at.world)
    expect(await texts(at)).toEqual(['one', 'late'])
    await at.a.submit(await signAgain(at, later))
    at.world.clock.now += 8 * DAY_MS
    await sweepNow(at.world)
    expect(await texts(at)).toEqual(['one', 'late', 'later'])
  })

  it('takes nothing from a chain that has a block which cannot be read', async () => {
    const at = await attempts()
    await failEach(at)
    const before = await census(at)
    const blocks = at.world.platform.table('blocks')
    const [genesis] = await blocks.range(at.record)
    await blocks.swap(at.record, genesis?.key ?? '', genesis?.version ?? null, new Uint8Array([0xff]))
    at.world.clock.now += 8 * DAY_MS
    await sweepNow(at.world)
    const after = await census(at)
    expect([after['objects'], after['wraps'], after['packages']]).toEqual([
      before['objects'],
      before['wraps'],
      before['packages'],
    ])
  })

  it('leaves rows alone that are no marks', async () => {
    const at = await attempts()
    const dirty = at.world.platform.table('dirty')
    const shard = at.record.slice(0, 1)
    for (const value of ['2', '{}', '{"v":1}', 'x', 'null', '[]'])
      await dirty.insert(
        shard,
        `2026-01-01T00:00:00.000Z/${at.record}/${value}`,
        new TextEncoder().encode(value),
      )
    await dirty.insert(shard, '0', new Uint8Array([0xff]))
    expect(await sweepNow(at.world)).toMatchObject({ failed: 0 })
    expect(await texts(at)).toEqual(['one'])
  })
})

/** Looking into an empty shard is the same in each; a read that fails is the same whether it was carried out or not. */
function isWorthwhile(calls: readonly string[], k: number, name: string, fault: Fault): boolean {
  const isRead = !/swap|shred/.test(name)
  if (isRead && fault === 'applied-unknown') return false
  return k === 0 || !(isLook(name) && isLook(calls[k - 1]) && isLook(calls[k + 1]))
}

function isLook(name: string | undefined): boolean {
  return name === undefined || name === 'table.jobs.get' || name === 'table.dirty.range'
}

describe('a sweep that fails', () => {
  it.each(['not-applied', 'applied-unknown'] as const)(
    'at any single call, %s, is made good by the next one',
    async (fault: Fault) => {
      const at = await attempts()
      const before = await census(at)
      await failEach(at)
      at.world.clock.now += 8 * DAY_MS
      const trace = await callsOf(at, () => sweepNow(at.world))
      const chosen = trace.flatMap((name, k) => (isWorthwhile(trace, k, name, fault) ? [k] : []))
      expect(chosen.length).toBeGreaterThan(10)
      for (const k of chosen) {
        await restoring(at, async () => {
          at.faults.plan(failAt(k, fault))
          await expect(sweepNow(at.world)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
          mend(at)
          expect((await auditNow(at.world)).findings).toEqual([])
          at.world.clock.now += SWEEP_STALE_MS
          await sweepNow(at.world)
          expect({ k, census: await census(at) }).toEqual({ k, census: before })
          const { findings, flags } = await auditNow(at.world)
          expect({ k, findings, flags }).toEqual({ k, findings: [], flags: [] })
        })
      }
    },
    120_000,
  )
})
