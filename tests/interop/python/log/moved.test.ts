// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import type { Digest } from '#core/bytes/ids.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import {
  fileOf,
  having,
  linesOf,
  withoutRegistryReceipts,
  withoutWitnesses,
  withReceipt,
  type Line,
  type Mutation,
} from '#tests/core/client/receipt/export-mutations.ts'
import { movedRecord } from '#tests/vectors/ampere/moved/moved-record.ts'
import { revokedRecord, type Reason } from '#tests/vectors/ampere/moved/revoked-record.ts'
import { takenOver } from '#tests/vectors/ampere/moved/taken-over.ts'
import { NEW_HOME, OLD_ORIGIN } from '#tests/core/server/move/moved-world.ts'
import { comparable, describeWithPython, inNode, verifyInPython } from '../software.ts'

const FROZEN = new URL('../../../vectors/ampere/moved/', import.meta.url)
const frozen = (name: string) => readFileSync(new URL(name, FROZEN))
const named = <T>(names: readonly string[], answers: readonly T[]) =>
  answers.map((answer, i) => [names[i], answer])
const first =
  (change: (line: Line) => Line): Mutation =>
  (lines) =>
    lines.map((line, i) => (i === 0 ? change(line) : line))

describeWithPython('a record that moved to another home, in Python', () => {
  it('is judged as the frozen export must be, with its receipts and with the one that must not count', async () => {
    const { registry, underPolicy, oldReceipt } = JSON.parse(frozen('expected.json').toString()) as {
      readonly registry: Digest
      readonly underPolicy: { readonly statuses: object; readonly log: object }
      readonly oldReceipt: string
    }
    const policy = frozen('policy.txt').toString()
    const good = frozen('export.ampere')
    const bad = fileOf(withReceipt(8, oldReceipt)(linesOf(good.toString())))
    const { answers } = verifyInPython([good, bad], { registry, policy })
    expect(answers[0]).toMatchObject({ statuses: underPolicy.statuses, log: underPolicy.log, problems: [] })
    expect(answers[1]?.problems).toEqual([{ height: 8, status: 'tampered', rule: 'receipt' }])
    expect(answers.map(comparable)).toEqual([
      await inNode(good, registry, undefined, policy),
      await inNode(bad, registry, undefined, policy),
    ])
  })

  it('is judged as verifyExport judges it, also with receipts of the log that does not count', async () => {
    const { bytes, registry, policy, old } = await movedRecord()
    const lines = linesOf(fromUtf8(bytes))
    const mutations: readonly (readonly [string, Mutation])[] = [
      ['nothing', (all) => all],
      ['the receipt of the old log for the rehome', withReceipt(8, old.rehome)],
      ['the receipt of the last old block for the one after the rehome', withReceipt(9, old.before)],
      ['the last old block with the receipt of the rehome', withReceipt(7, old.rehome)],
      ['no receipt of the rehome', having('receipt', 8, () => null)],
      ['no receipt of a block with a revoked key', having('receipt', 5, () => null)],
      ['no receipts of the registry', withoutRegistryReceipts],
      ['no cosignatures', withoutWitnesses],
      ['the origin of the home that was left', first((line) => ({ ...line, origin: 'http://home.test' }))],
      ['no rehome', (all) => all.filter((line, i) => !('block' in line) || i !== blockLine(all, 8))],
      [
        'nothing after the rehome',
        (all) => all.filter((line, i) => !('block' in line) || i <= blockLine(all, 8)),
      ],
    ]
    const files = mutations.map(([, mutation]) => fileOf(mutation(lines)))
    const names = mutations.map(([name]) => name)
    const here = await Promise.all(files.map((file) => inNode(file, registry, undefined, policy)))
    const there = verifyInPython(files, { registry, policy }).answers.map(comparable)
    expect(named(names, there)).toEqual(named(names, here))
    expect(here[0]).toMatchObject({ problems: [] })
    expect(here[1]).toMatchObject({ problems: [{ height: 8, rule: 'receipt' }] })
    // Under the policy without one log, its blocks have no receipts.
    for (const origin of ['home.test', 'new.test']) {
      const less = policy
        .split('\n')
        .filter((line) => !line.startsWith(`log ${origin}`))
        .join('\n')
      const [said] = verifyInPython([bytes], { registry, policy: less }).answers.map(comparable)
      expect([origin, said]).toEqual([origin, await inNode(bytes, registry, undefined, less)])
    }
  })

  it('has erasures that are judged as verifyExport judges them, whoever has the origin of the home that was left', async () => {
    const { registry, stated, retired } = await takenOver()
    const { answers } = verifyInPython([stated, retired], { registry })
    expect(answers.map(comparable)).toEqual([await inNode(stated, registry), await inNode(retired, registry)])
    for (const erasures of answers.map((answer) => answer.erasures ?? [])) {
      expect(erasures[1]?.stated).toEqual([NEW_HOME.origin])
      expect(erasures[1]?.owing).toContain(OLD_ORIGIN)
    }
  })

  it.each<Reason>(['retired', 'suspended', 'compromised'])(
    'has blocks of a key that was %s judged as verifyExport judges them, before and after',
    async (reason) => {
      const { registry, policy, unwitnessed, before, after } = await revokedRecord(reason)
      for (const pinned of [policy, unwitnessed]) {
        const { answers } = verifyInPython([before, after], { registry, policy: pinned })
        expect(answers.map(comparable)).toEqual([
          await inNode(before, registry, undefined, pinned),
          await inNode(after, registry, undefined, pinned),
        ])
        if (reason !== 'retired') expect(answers[1]).toHaveProperty('statuses.4', 'suspect')
      }
    },
  )
})

function blockLine(lines: readonly Line[], height: number): number {
  return lines.flatMap((line, i) => ('block' in line ? [i] : []))[height] ?? -1
}
