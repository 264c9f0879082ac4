// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fromBase64url } from '#core/bytes/encoding.ts'
import { evidenceOfCheckpoints, evidenceOfLabels } from '#core/evidence/build.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { formatTlogProof } from '#core/log/tlog-proof.ts'
import { TILE_BYTES } from '#core/log/tile/hashes.ts'
import { keepFinding, MAX_FINDINGS, type Finding } from '#core/server/monitor/against/findings.ts'
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

  it('convicts the log by its entries where it hides the tiles that show the fork', async () => {
    for (const [size, larger] of [
      [7, 9],
      [300, 1000],
    ] as const) {
      const log = await servedLog()
      const monitor = await testMonitor(log)
      await log.grow(size)
      await monitor.run()
      await log.grow(larger, { forkAt: 3 })
      log.instead.answer = hidden(/^tile\/\d/)
      expect(await monitor.run()).toMatchObject({ finding: 'fork', size })
      expect(await convicts(log, monitor)).toMatch(`one of ${larger} that does not begin with it`)
    }
  })

  it('is a lead only where the log serves neither the tiles nor the older entries that show the fork', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    await log.grow(300)
    await monitor.run()
    await log.grow(600, { forkAt: 3 })
    log.instead.answer = hidden(/^tile\/(\d|entries\/000$)/)
    expect(await monitor.run()).toMatchObject({ finding: 'root' })
    log.instead.answer = hidden(/^tile\/\d/)
    expect(await monitor.run()).toMatchObject({ finding: 'fork' })
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

  it('proves a label that occurs twice, and an entry of another form, without any tile of the log', async () => {
    for (const [last, said] of [
      [entryAt(2, 0), /one label at the indexes (2 and 8|8 and 2)/],
      [Uint8Array.of(9), null],
    ] as const) {
      const { log, monitor } = await scene()
      await log.publish([...entriesTo(8), last])
      log.instead.answer = hidden(/^tile\/\d/)
      await monitor.run()
      const { leaves } = await only(monitor)
      expect(leaves.map(({ proof }) => proof)).not.toContain(null)
      if (said) expect(await convicts(log, monitor)).toMatch(said)
    }
  })

  it('proves what it finds on the way to a larger tree by the entries after it, where tiles are hidden or wrong', async () => {
    const odd = new Response(new Uint8Array(TILE_BYTES))
    for (const answer of [hidden(/^tile\/0\/000$/), (path: string) => (path === 'tile/0/000' ? odd : null)]) {
      const { log, monitor } = await doubledLog()
      log.instead.answer = answer
      expect(await monitor.run()).toMatchObject({ finding: 'duplicate-label' })
      expect(await convicts(log, monitor)).toMatch(/one label at the indexes (2 and 300|300 and 2)/)
    }
  })

  it('without a proof gives its place to the same with one, once the log serves what shows it', async () => {
    const { log, monitor } = await doubledLog()
    log.instead.answer = hidden(/^tile\/(0\/000$|entries\/008)/)
    expect(await monitor.run()).toMatchObject({ finding: 'duplicate-label' })
    expect((await only(monitor)).leaves.map(({ proof }) => proof)).toEqual([null, null])
    log.instead.answer = null
    expect(await monitor.run()).toMatchObject({ finding: 'duplicate-label' })
    expect((await only(monitor)).leaves).toHaveLength(2)
    expect(await convicts(log, monitor)).toMatch(/one label at the indexes (2 and 300|300 and 2)/)
    log.instead.answer = hidden(/^tile\/(0\/000$|entries\/008)/)
    await monitor.run()
    expect(await convicts(log, monitor)).toMatch(/one label at the indexes/)
  })

  it('with a proof takes the place of another without one when there is no place left', async () => {
    const { monitor } = await scene()
    const table = monitor.platform.table('monitored')
    const found = (i: number, proof: readonly string[] | null): Finding => ({
      kind: 'leaf-form',
      origin: LOG_ORIGIN,
      notes: [`note ${i}`],
      leaves: [{ index: i, entry: '', proof }],
      hashes: [],
    })
    for (let i = 0; i < MAX_FINDINGS; i++) await keepFinding(table, 0, found(i, i === 3 ? null : []))
    await keepFinding(table, 0, found(98, null))
    await keepFinding(table, 0, found(99, []))
    await keepFinding(table, 0, found(97, []))
    const indexes = (await monitor.findings()).map(({ leaves }) => leaves[0]?.index)
    expect(indexes).toEqual([0, 1, 2, 99, ...Array.from({ length: MAX_FINDINGS - 4 }, (_, i) => i + 4)])
  })
})

/** A log of two slices whose first slice has a label twice, at 2 and 300, and a monitor of its first leaves. */
async function doubledLog() {
  const made = await scene()
  const entries = entriesTo(SLICE_LEAVES + 20)
  entries[300] = entryAt(2, 0)
  await made.log.publish(entries)
  return made
}

function hidden(paths: RegExp): (path: string) => Response | null {
  return (path) => (paths.test(path) ? new Response(null, { status: 404 }) : null)
}
