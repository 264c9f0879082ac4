// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { logIdOf } from '#core/api/log.ts'
import type { ReadTable } from '#core/ports/table.ts'
import { select } from '#core/ports/needs.ts'
import { beginAnew } from '#core/server/monitor/begin-anew.ts'
import { labelsPartition } from '#core/server/monitor/labels.ts'
import { lookUp, readMonitored } from '#core/server/monitor/lookup.ts'
import { copiedUnder, loadMonitored } from '#core/server/monitor/monitored-row.ts'
import { LOOKUP_NEEDS } from '#core/server/monitor/needs.ts'
import { START_MS } from '#tests/deployment.ts'
import { askedAt, LOG_ORIGIN } from './served-log.ts'
import { scene } from './scene.ts'

const LATER = START_MS + 1000
const id = logIdOf(LOG_ORIGIN)

/** A monitor that has stopped: after seven leaves the log showed nine of another history. */
async function stoppedAtFork() {
  const made = await scene()
  await made.log.grow(9, { forkAt: 3 })
  await made.monitor.run()
  const table = made.monitor.platform.table('monitored')
  return { ...made, table, status: () => readMonitored({ tables: { monitored: table } }, id) }
}

describe('a monitor that has stopped', () => {
  it('says so until a look finds nothing', async () => {
    const { log, monitor } = await scene()
    const status = () => readMonitored({ tables: { monitored: monitor.platform.table('monitored') } }, id)
    expect(await status()).toMatchObject({ stopped: null, begun: null })
    await log.grow(5)
    await monitor.run()
    expect(await status()).toMatchObject({ stopped: 'rollback' })
    await log.grow(8)
    expect(await monitor.run()).toMatchObject({ outcome: 'current', size: 8 })
    expect(await status()).toMatchObject({ stopped: null, size: 8, findings: [{ kind: 'rollback' }] })
  })

  it('begins anew with another history, and keeps what it found', async () => {
    const { monitor, table, status } = await stoppedAtFork()
    expect(await monitor.run()).toMatchObject({ finding: 'fork', size: 7 })
    expect(await status()).toMatchObject({ stopped: 'fork', size: 7 })
    expect(await beginAnew(table, LATER, LOG_ORIGIN)).toBe(true)
    expect(await table.range(labelsPartition(id))).toEqual([])
    expect(await monitor.settle()).toMatchObject({ outcome: 'current', size: 9, added: 9 })
    expect(await status()).toMatchObject({
      stopped: null,
      size: 9,
      begun: expect.any(String),
      findings: [{ kind: 'fork' }],
    })
    expect(await monitor.says(1)).toMatchObject({ size: 9, index: 1 })
    expect(await beginAnew(table, LATER, LOG_ORIGIN)).toBe(false)
    expect(await monitor.says(1)).toMatchObject({ size: 9, index: 1 })
  })

  it('is not begun anew where it goes on', async () => {
    const { monitor } = await scene()
    expect(await beginAnew(monitor.platform.table('monitored'), LATER, LOG_ORIGIN)).toBe(false)
    expect(await monitor.says(6)).toMatchObject({ size: 7, index: 6 })
  })

  it('removes what an interrupted one left', async () => {
    const { monitor, table } = await stoppedAtFork()
    const before = labelsPartition(copiedUnder({ origin: LOG_ORIGIN, generation: 0 }))
    const [row] = await table.range(before)
    await beginAnew(table, LATER, LOG_ORIGIN)
    await table.insert(before, row?.key ?? '', row?.value ?? new Uint8Array())
    expect(await monitor.settle()).toMatchObject({ outcome: 'current', size: 9 })
    expect(await beginAnew(table, LATER, LOG_ORIGIN)).toBe(false)
    expect(await table.range(before)).toEqual([])
    expect((await loadMonitored(table, LOG_ORIGIN)).log.generation).toBe(1)
  })

  it('calls nothing absent whose label is removed while somebody asks', async () => {
    const { monitor, table } = await stoppedAtFork()
    const ports = await select(monitor.platform, LOOKUP_NEEDS)
    const meanwhile: ReadTable = {
      range: (partition, range) => table.range(partition, range),
      get: async (partition, key) => {
        if (partition === labelsPartition(id)) await beginAnew(table, LATER, LOG_ORIGIN)
        return table.get(partition, key)
      },
    }
    const asked = lookUp({ ...ports, tables: { monitored: meanwhile } }, id, askedAt(1))
    await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
