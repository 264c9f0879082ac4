// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fromBase64url } from '#core/bytes/encoding.ts'
import { evidenceOfCheckpoints, evidenceOfLabels } from '#core/evidence/build.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { formatTlogProof } from '#core/log/tlog-proof.ts'
import { SLICE_LEAVES } from '#core/server/monitor/slice.ts'
import { entriesTo, entryAt, LOG_ORIGIN, servedLog, type ServedLog } from './served-log.ts'
import { testMonitor, type TestMonitor } from './monitor.ts'
import { only, scene } from './scene.ts'

describe('what a monitor keeps', () => {
  /** What the one finding convicts the log of, before whoever pins its key and asks nobody. */
  const convicts = async (log: ServedLog, monitor: TestMonitor) => {
    const [finding] = await monitor.findings()
    const of = { origin: LOG_ORIGIN, log: [log.logKey] }
    const [first = '', second = ''] = finding?.notes ?? []
    const [a, b] = (finding?.leaves ?? []).map(({ index, entry, proof }) => {
      const hashes = (proof ?? []).map(fromBase64url)
      return {
        entry: fromBase64url(entry),
        receipt: formatTlogProof({ extra: null, index, hashes, note: first }),
      }
    })
    const hashes = (finding?.hashes ?? []).map(fromBase64url)
    const how = hashes.length > 0 ? ({ how: 'prefix', hashes } as const) : ({ how: 'root' } as const)
    const bytes = a && b ? evidenceOfLabels(of, [a, b]) : evidenceOfCheckpoints(of, [first, second], how)
    return (await verifyEvidence(bytes, { registry: null, logs: [log.logKey] })).proves
  }

  it('convicts the log by itself of a larger tree that does not begin with a smaller one', async () => {
    for (const [size, larger, forkAt] of [
      [7, 9, 3],
      [8, 300, 7],
      [256, 257, 0],
      [300, SLICE_LEAVES + 600, 299],
    ] as const) {
      const log = await servedLog()
      const monitor = await testMonitor(log)
      await log.grow(size)
      await monitor.run()
      await log.grow(larger, { forkAt })
      expect(await monitor.run()).toMatchObject({ finding: 'fork', size })
      expect(await convicts(log, monitor)).toMatch(
        `${size} leaves and one of ${larger} that does not begin with it`,
      )
    }
  })

  it('is a lead only where the log does not serve the tiles that show the fork', async () => {
    const { log, monitor } = await scene()
    await log.grow(9, { forkAt: 3 })
    log.instead.answer = (path) => (path.startsWith('tile/0/') ? new Response(null, { status: 404 }) : null)
    expect(await monitor.run()).toMatchObject({ finding: 'root' })
  })

  it('convicts the log by itself of two trees of one size, and of a label that occurs twice', async () => {
    const forked = await scene()
    await forked.log.grow(7, { forkAt: 3 })
    await forked.monitor.run()
    expect(await convicts(forked.log, forked.monitor)).toMatch(/two trees of 7 leaves with different roots/)
    const doubled = await scene()
    await doubled.log.publish([...entriesTo(300), entryAt(2, 0)])
    await doubled.monitor.run()
    expect(await convicts(doubled.log, doubled.monitor)).toMatch(
      /one label at the indexes (2 and 300|300 and 2)/,
    )
  })

  it('has no inclusion proof where the log does not serve its tiles, and is kept all the same', async () => {
    const { log, monitor } = await scene()
    await log.publish([...entriesTo(8), entryAt(2, 0)])
    log.instead.answer = (path) => (path.startsWith('tile/0/') ? new Response(null, { status: 404 }) : null)
    expect(await monitor.run()).toMatchObject({ finding: 'duplicate-label' })
    expect((await only(monitor)).leaves.map(({ proof }) => proof)).toEqual([null, null])
  })
})
