// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { witnessedWorld, type WitnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { collude, entry, forgery, revokedScene, type RevokedScene } from '#tests/e2e/revoked-scene.ts'
import {
  fileOf,
  having,
  linesOf,
  MISPLACED,
  unsigned,
  withoutRegistryReceipts,
  withoutWitnesses,
  WRONG_RECEIPTS,
  type Line,
} from './export-mutations.ts'

let witnessed: WitnessedWorld
let at: RevokedScene
let lines: readonly Line[]

const verify = (given: readonly Line[]) =>
  verifyExport(fileOf(given), { registry: witnessed.world.registryId, policy: witnessed.policy })
const problemsOf = async (given: readonly Line[]) =>
  (await verify(given)).problems.map(({ height, status, rule }) => `${height} ${status} ${rule}`)
/** A record with a block that was logged after the key that signed it was revoked, exported a week later. */
beforeAll(async () => {
  witnessed = await witnessedWorld(['w1', 'w2'], 1)
  const { world, clock } = witnessed
  at = await revokedScene(world)
  await world.tendLog()
  await collude(at, await forgery(at, { registry: at.before }))
  await at.a.append(at.record, [entry('two')])
  await world.tendLog()
  clock.now += 7 * 86_400_000
  lines = linesOf(fromUtf8(await exportRecord(world.connect('hospital-a'), at.record)))
})

describe('the receipts in an export', () => {
  it('prove offline what is witnessed, and what came after a revocation', async () => {
    const report = await verify(lines)
    expect(report.statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'late', 'witnessed'])
    expect(report.problems).toMatchObject([{ height: 3, status: 'late', rule: 'revoked' }])
    expect([report.receipts, report.log?.receipts.length]).toEqual([5, 5])
    expect(report.asOf).toBe(toTimestamp(witnessed.clock.now))
  })

  it('are judged by nobody without a policy: then a block is promised, and nothing is wrong', async () => {
    const { log, statuses, problems, receipts } = await verifyExport(fileOf(lines))
    expect([log, new Set(statuses), problems, receipts]).toEqual([null, new Set(['promised']), [], 5])
  })

  it('stand once for each checkpoint, however many blocks it covers', () => {
    expect(lines.filter((line) => 'checkpoint' in line)).toHaveLength(2)
    expect(lines.filter((line) => 'receipt' in line)).toHaveLength(5)
    expect(lines.filter((line) => 'registryReceipt' in line)).toHaveLength(1)
  })

  it('that are left out make their blocks overdue, and without that of the revocation its key is suspect', async () => {
    const late = '3 late revoked'
    const left = having('receipt', 1, () => null)(lines)
    expect(await problemsOf(left)).toEqual([late, '1 overdue promise'].toSorted())
    const unplaced = await verify(withoutRegistryReceipts(lines))
    expect(unplaced.statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'suspect', 'witnessed'])
  })

  it('that are changed are found, and their blocks are tampered and not overdue', async () => {
    for (const [name, mutation] of WRONG_RECEIPTS) {
      const { statuses, problems, log } = await verify(mutation(lines))
      const said = problems.map(({ height, status, rule }) => `${height} ${status} ${rule}`)
      expect([name, said]).toEqual([name, ['1 tampered receipt', '3 late revoked']])
      expect(statuses).toEqual(['witnessed', 'tampered', 'witnessed', 'late', 'witnessed'])
      expect(log?.statuses[1]).toBe('promised')
    }
    for (const [, mutation] of MISPLACED)
      await expect(verify(mutation(lines))).rejects.toMatchObject({ code: 'EXPORT_MALFORMED' })
  })

  it('whose checkpoint lost or changed a signature prove less, or nothing', async () => {
    expect((await verify(withoutWitnesses(lines))).statuses).toEqual([
      'logged',
      'logged',
      'logged',
      'late',
      'logged',
    ])
    await expect(verify(unsigned(lines))).rejects.toMatchObject({
      message: expect.stringContaining('rule receipt'),
    })
  })
})
