// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { SLICE_LEAVES } from '#core/server/monitor/slice.ts'
import { loadMonitored } from '#core/server/monitor/monitored-row.ts'
import { TIME } from '#tests/core/log/signers.ts'
import { START_MS } from '#tests/deployment.ts'
import { entriesTo, LOG_ORIGIN, servedLog } from './served-log.ts'
import { testMonitor } from './monitor.ts'

const rootOf = (size: number) => toBase64url(merkleRoot(entriesTo(size).map(leafHash)))

describe('a monitor of a log that grows', () => {
  it('verifies each tree from its entries, through every kind of boundary, and finds exactly the leaves in it', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    let before = 0
    for (const size of [0, 1, 2, 255, 256, 257, 300, 511, 512, 513, 770]) {
      await log.grow(size)
      expect(await monitor.run()).toEqual({ outcome: 'current', size, added: size - before, finding: null })
      const absent = await monitor.says(size)
      expect(absent).toMatchObject({ size, index: null, root: rootOf(size) })
      for (const index of [0, before, size - 1].filter((each) => each >= 0 && each < size))
        expect(await monitor.says(index)).toMatchObject({ size, index })
      before = size
    }
    expect(await monitor.findings()).toEqual([])
  })

  it('gets to the same whatever sizes it sees on the way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 4 }), async (sizes) => {
        const log = await servedLog()
        const monitor = await testMonitor(log)
        for (const size of [...sizes.toSorted((a, b) => a - b), 600]) {
          await log.grow(size)
          expect((await monitor.run()).outcome).toBe('current')
        }
        const { index } = await monitor.says(599)
        expect({ index, absent: (await monitor.says(600)).index }).toEqual({ index: 599, absent: null })
      }),
      { numRuns: 6, seed: 3 },
    )
  })

  it('fetches a full bundle once, and a partial one only while it is the newest', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    for (const size of [100, 256, 300, 300]) {
      await log.grow(size)
      await monitor.run()
    }
    const entries = log.asked.filter((path) => path !== 'checkpoint')
    expect(entries).toEqual(['tile/entries/000.p/100', 'tile/entries/000', 'tile/entries/001.p/44'])
  })

  it('takes the full bundle where the partial one is gone', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    await log.grow(300, { hidden: true })
    await log.grow(200)
    log.files.delete('tile/entries/000.p/200')
    expect(await monitor.run()).toMatchObject({ outcome: 'current', size: 200 })
  })

  it('copies a large log in slices over several runs, each shown to begin the signed tree', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log, undefined, 2)
    const size = 2 * SLICE_LEAVES + 3
    await log.grow(size)
    expect(await monitor.run()).toEqual({
      outcome: 'behind',
      size: 0,
      added: 2 * SLICE_LEAVES,
      finding: null,
    })
    await expect(monitor.says(0)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await log.grow(size + 1)
    expect(await monitor.run()).toMatchObject({ outcome: 'behind', size })
    expect(await monitor.run()).toMatchObject({ outcome: 'current', size: size + 1, added: 1 })
    expect(await monitor.says(size)).toMatchObject({ index: size })
  })

  it('says that a label is absent from the newest cosigned tree, and where one is in the newest of all', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    await log.grow(5)
    await monitor.run()
    await log.grow(7, { cosigned: false })
    expect(await monitor.run()).toMatchObject({ outcome: 'current', size: 7 })
    expect(await monitor.says(9)).toMatchObject({ size: 5, index: null })
    expect(await monitor.says(6)).toMatchObject({ size: 7, index: 6 })
    await log.grow(7)
    await monitor.run()
    expect(await monitor.says(9)).toMatchObject({ size: 7, index: null })
    await log.grow(7, { cosigned: false })
    await monitor.run()
    expect(await monitor.says(9)).toMatchObject({ size: 7, index: null })
  })

  it('keeps the latest time of its quorum, whatever older note of the same tree it is shown again', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    const said = async () => {
      const { log: row } = await loadMonitored(monitor.platform.table('monitored'), LOG_ORIGIN)
      return row.cosigned?.note
    }
    const old = await log.grow(5)
    await monitor.run()
    expect(await said()).toBe(old)
    const newer = await log.grow(5, { time: TIME + 3600 })
    await monitor.run()
    expect(await said()).toBe(newer)
    log.files.set('checkpoint', utf8(old))
    expect(await monitor.run()).toMatchObject({ outcome: 'current', finding: null })
    expect(await said()).toBe(newer)
    // A larger tree that was cosigned earlier is verified, and absences are said as of the later time all the same.
    await log.grow(7, { time: TIME + 3599 })
    expect(await monitor.run()).toMatchObject({ outcome: 'current', size: 7 })
    expect(await said()).toBe(newer)
    const newest = await log.grow(7, { time: TIME + 3600 })
    await monitor.run()
    expect(await said()).toBe(newest)
  })

  it('does not take the word of witnesses whose clocks are too far ahead of its own', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    await log.grow(5)
    await monitor.run()
    await log.grow(7, { time: START_MS / 1000 + 121 })
    expect(await monitor.run()).toMatchObject({ outcome: 'current', size: 7 })
    expect(await monitor.says(9)).toMatchObject({ size: 5, index: null })
    await log.grow(7, { time: START_MS / 1000 + 120 })
    await monitor.run()
    expect(await monitor.says(9)).toMatchObject({ size: 7, index: null })
  })

  it('is one of several that do the same work at once, without harm', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    for (const size of [10, 300, 700]) {
      await log.grow(size)
      const reports = await Promise.all([monitor.run(), monitor.run(), monitor.run()])
      expect(reports.map(({ finding }) => finding)).toEqual([null, null, null])
      expect(reports.map(({ outcome }) => outcome)).toContain('current')
      expect(await monitor.run()).toMatchObject({ outcome: 'current', size, added: 0 })
    }
    expect(await monitor.findings()).toEqual([])
  })
})
