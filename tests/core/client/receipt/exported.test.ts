// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { witnessedWorld, type WitnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { collude, entry, forgery, revokedScene, type RevokedScene } from '#tests/e2e/revoked-scene.ts'

type Line = Readonly<Record<string, string | number>>
let witnessed: WitnessedWorld
let at: RevokedScene
let lines: readonly Line[]

const fileOf = (given: readonly Line[]) => utf8(given.map((line) => `${canonicalize(line)}\n`).join(''))
const verify = (given: readonly Line[]) =>
  verifyExport(fileOf(given), { registry: witnessed.world.registryId, policy: witnessed.policy })
const problemsOf = async (given: readonly Line[]) =>
  (await verify(given)).problems.map(({ height, status, rule }) => `${height} ${status} ${rule}`)
const having = (kind: string, of: number, change: (line: Line) => Line | null) =>
  lines.flatMap((line) => (kind in line && line['of'] === of ? (change(line) ?? []) : [line]))

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
  const text = fromUtf8(await exportRecord(world.connect('hospital-a'), at.record))
  lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
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
    expect(await problemsOf(having('receipt', 1, () => null))).toEqual([late, '1 overdue promise'].toSorted())
    const [registryHeight] = lines.flatMap((line) => ('registryReceipt' in line ? Number(line['of']) : []))
    const unplaced = await verify(having('registryReceipt', registryHeight ?? -1, () => null))
    expect(unplaced.statuses).toEqual(['witnessed', 'witnessed', 'witnessed', 'suspect', 'witnessed'])
  })

  it('that are changed are found', async () => {
    const late = '3 late revoked'
    const changed = (change: (line: Line) => Line) => having('receipt', 1, change)
    const other = lines.find((line) => 'receipt' in line && line['of'] === 2) ?? {}
    const proof = (line: Line) => String(line['receipt'])
    const under = String(lines.find((line) => 'receipt' in line && line['of'] === 4)?.['under'])
    for (const given of [
      changed((line) => ({ ...line, receipt: proof(other) })),
      changed((line) => ({ ...line, receipt: proof(line).replace('index ', 'index 1') })),
      changed((line) => ({ ...line, receipt: '' })),
      changed((line) => ({ ...line, receipt: proof(line).replace('v1', 'v2') })),
    ])
      expect(await problemsOf(given)).toEqual(['1 tampered receipt', late])
    // Under a checkpoint of another size the hashes do not add up; under one that comes later or never, it is no file.
    const moved = lines.filter((line) => !('receipt' in line && line['of'] === 1))
    expect(await problemsOf([...moved, { ...other, of: 1, under }])).toEqual(['1 tampered receipt', late])
    const [first = {}, ...rest] = lines
    const orphan = lines.find((line) => 'receipt' in line) ?? {}
    for (const given of [
      [first, orphan, ...rest],
      [...lines, orphan],
      lines.filter((line) => !('checkpoint' in line)),
    ])
      await expect(verify(given)).rejects.toMatchObject({ code: 'EXPORT_MALFORMED' })
  })

  it('whose checkpoint lost or changed a signature prove less, or nothing', async () => {
    const checkpoints = (change: (text: string) => string) =>
      relinked(
        lines.map((line) =>
          'checkpoint' in line ? { ...line, checkpoint: change(String(line['checkpoint'])) } : line,
        ),
      )
    const withoutWitnesses = checkpoints((text) => text.replace(/— w\d[^\n]*\n/g, ''))
    expect((await verify(withoutWitnesses)).statuses).toEqual([
      'logged',
      'logged',
      'logged',
      'late',
      'logged',
    ])
    const unsigned = checkpoints((text) => text.replace(/— (?!w\d)[^\n]*\n/g, ''))
    await expect(verify(unsigned)).rejects.toMatchObject({ message: expect.stringContaining('rule receipt') })
  })
})

/** The lines with `under` naming the checkpoints as they are now. */
function relinked(given: readonly Line[]): readonly Line[] {
  let under = ''
  const names = new Map<string, string>()
  const before = lines
    .filter((line) => 'checkpoint' in line)
    .map((line) => digest(String(line['checkpoint'])))
  for (const line of given) {
    if (!('checkpoint' in line)) continue
    under = digest(String(line['checkpoint']))
    names.set(before[names.size] ?? '', under)
  }
  return given.map((line) =>
    'under' in line ? { ...line, under: names.get(String(line['under'])) ?? '' } : line,
  )
}

const digest = (text: string): string => digestOf(utf8(text))
