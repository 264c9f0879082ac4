// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { logIdOf } from '#core/api/log.ts'
import { tilesPartition } from '#core/server/monitor/tiles.ts'
import { testMonitor } from './monitor.ts'
import { LOG_ORIGIN, servedLog } from './served-log.ts'

const TILES = tilesPartition(logIdOf(LOG_ORIGIN))

/** A monitor that has verified so many leaves, in two steps. */
async function verified(first: number, size: number) {
  const log = await servedLog()
  const monitor = await testMonitor(log)
  for (const to of [first, size]) {
    await log.grow(to)
    await monitor.settle()
  }
  return { log, monitor, table: monitor.platform.table('monitored') }
}

describe('what a monitor says is present', () => {
  it('is proved under its checkpoint for every kind of place, without asking the log', async () => {
    for (const [first, size] of [
      [1, 2],
      [7, 255],
      [255, 256],
      [256, 257],
      [300, 1025],
    ] as const) {
      const { log, monitor } = await verified(first, size)
      log.instead.answer = () => new Response(null, { status: 404 })
      // What `says` gives has a proof that it verified.
      for (const index of [0, 1, 255, 256, 511, 512, size - 1].filter((at) => at < size))
        expect(await monitor.says(index)).toMatchObject({ index, size })
      expect(await monitor.says(size)).toMatchObject({ index: null, size })
    }
  })

  it('is proved of the newest verified tree while a larger one is being copied', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log, undefined, 1)
    await log.grow(300)
    await monitor.settle()
    await log.grow(5000)
    expect(await monitor.run()).toMatchObject({ outcome: 'behind', size: 300 })
    for (const index of [0, 255, 256, 299])
      expect(await monitor.says(index)).toMatchObject({ index, size: 300 })
    expect(await monitor.says(300)).toMatchObject({ index: null })
    await monitor.settle()
    for (const index of [300, 4096, 4999])
      expect(await monitor.says(index)).toMatchObject({ index, size: 5000 })
  })

  it('is not said at all once a tile that proves it was changed or removed', async () => {
    const { monitor, table } = await verified(300, 600)
    const [row] = await table.range(TILES)
    if (!row) throw new Error('no tile was kept')
    expect(row).toMatchObject({ key: 'tile/0/000' })
    const changed = row.value.slice()
    changed[40] = (changed[40] ?? 0) ^ 1
    const version = await table.swap(TILES, row.key, row.version, changed)
    await expect(monitor.says(3)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await table.swap(TILES, row.key, version, null)
    await expect(monitor.says(3)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    // What needs no proof is said as before.
    expect(await monitor.says(700)).toMatchObject({ index: null })
  })

  it('is proved by full tiles that are kept once each; partial ones are in the row of the log', async () => {
    const { table } = await verified(300, 1025)
    expect((await table.range(TILES)).map(({ key }) => key)).toEqual([
      'tile/0/000',
      'tile/0/001',
      'tile/0/002',
      'tile/0/003',
    ])
  })
})
