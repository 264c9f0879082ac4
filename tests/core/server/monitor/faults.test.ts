// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { scheduler } from '#tests/core/server/scheduler.ts'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { logIdOf } from '#core/api/log.ts'
import { labelsPartition } from '#core/server/monitor/labels.ts'
import { entriesTo, entryAt, LOG_ORIGIN, servedLog } from './served-log.ts'
import { testMonitor } from './monitor.ts'

/** A monitor with three leaves verified and five more to copy, whose calls can fail. */
async function scene() {
  const log = await servedLog()
  const faults: ReturnType<typeof withFaults>[] = []
  const monitor = await testMonitor(log, (base) => {
    faults.push(withFaults(base))
    return faults[0]?.platform ?? base
  })
  const [fault] = faults
  if (!fault) throw new Error('nothing was wrapped')
  await log.grow(3)
  await monitor.run()
  await log.grow(8)
  return { log, monitor, fault }
}

describe('a monitor whose table or network fails', () => {
  for (const kind of ['not-applied', 'applied-unknown'] as const)
    it(`never says what it has not verified, and comes to the same end, whichever call was ${kind}`, async () => {
      const counted = await scene()
      counted.fault.plan(() => null)
      await counted.monitor.run()
      const calls = [...counted.fault.calls()]
      expect(calls.filter((call) => call.startsWith('table.monitored.'))).toHaveLength(8)
      for (const [k, call] of calls.entries()) {
        const { monitor, fault } = await scene()
        fault.plan(failAt(k, kind))
        const outcome = await monitor.run().then(
          () => 'done',
          (error: { code: string }) => error.code,
        )
        expect({ call, outcome }).toEqual({ call, outcome: 'STORE_UNAVAILABLE' })
        fault.plan(() => null)
        const { size, index } = await monitor.says(7)
        expect({ call, said: [size, index] }).toEqual({ call, said: size === 8 ? [8, 7] : [3, null] })
        expect(await monitor.run()).toMatchObject({ outcome: 'current', size: 8, finding: null })
        expect(await monitor.says(7)).toMatchObject({ size: 8, index: 7 })
        expect(await monitor.findings()).toEqual([])
      }
    })

  it('keeps a finding at the next run where keeping it failed', async () => {
    const { log, monitor, fault } = await scene()
    await monitor.run()
    await log.publish([...entriesTo(8), entryAt(1, 0)])
    fault.plan((_, name) => (name === 'table.monitored.insert' ? 'not-applied' : null))
    await expect(monitor.run()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    fault.plan(() => null)
    expect(await monitor.run()).toMatchObject({ finding: 'duplicate-label' })
    expect(await monitor.findings()).toHaveLength(1)
  })

  it('says that its table was changed, and signs nothing of it', async () => {
    const change = async (partition: string, key: string, text: (before: string) => string) => {
      const { monitor } = await scene()
      await monitor.run()
      const table = monitor.platform.table('monitored')
      const row = await table.get(partition, key)
      if (!row) throw new Error('no such row')
      await table.swap(partition, key, row.version, utf8(text(new TextDecoder().decode(row.value))))
      return monitor
    }
    const log = logIdOf(LOG_ORIGIN)
    const edge = await change('logs', log, (text) => text.replace('"size":8', '"size":7'))
    await expect(edge.run()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(edge.says(1)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    const [label] = await (await scene()).monitor.platform.table('monitored').range(labelsPartition(log))
    const changed = await change(labelsPartition(log), label?.key ?? '', () => '{}')
    const index = entriesTo(3).findIndex(
      (_, i) => label?.value && new TextDecoder().decode(label.value).includes(`"index":${i}`),
    )
    await expect(changed.says(index)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})

describe('several monitors at once, of a log that shows each of them another tree', () => {
  for (const seed of Array.from({ length: 6 }, (_, i) => i + 1))
    it(`take one of the trees as a whole, and find the other (schedule ${seed})`, async () => {
      const { wrap, run } = scheduler(seed)
      const log = await servedLog()
      const monitor = await testMonitor(log, wrap)
      const first = monitor.run()
      await log.grow(3)
      await run([first])
      const shown: Uint8Array[] = []
      for (const forkAt of [99, 4]) {
        await log.grow(9, { forkAt })
        shown.push(log.files.get('checkpoint') ?? new Uint8Array(0))
      }
      let turn = 0
      log.instead.answer = (path) =>
        path === 'checkpoint' ? new Response((shown[turn++ % 2] ?? new Uint8Array(0)).slice()) : null
      const several = [monitor.run(), monitor.run(), monitor.run(), monitor.run()]
      const results = await run(several)
      expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
      log.instead.answer = null
      for (const bytes of [...shown, ...shown]) {
        log.files.set('checkpoint', bytes)
        await run([monitor.run()])
      }
      const kinds = new Set((await monitor.findings()).map(({ kind }) => kind))
      expect(kinds.has('same-size')).toBe(true)
      const { size, index } = await monitor.says(8)
      expect([
        [3, null],
        [9, 8],
      ]).toContainEqual([size, index])
    })
})
