// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { createShown } from '#core/client/receipt/shown.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { twoHistories } from './two-histories.ts'

type Made = Awaited<ReturnType<typeof twoHistories>>

/** What is said of two files by who judges them one after the other, and what is kept. */
async function judged({ policy, pins }: Made, files: readonly Uint8Array[], isJudging = true) {
  const [shown, kept] = [createShown(), [] as Uint8Array[]]
  const evidence = async (bytes: Uint8Array) => `file ${kept.push(bytes)}`
  const said: string[][] = []
  for (const bytes of files) {
    const report = await verifyExport(bytes, { shown, evidence, ...(isJudging ? { policy } : {}) })
    said.push(report.problems.map(({ height, status, rule }) => `${height} ${status} ${rule}`))
  }
  const verdicts = await Promise.all(kept.map((bytes) => verifyEvidence(bytes, pins)))
  return { said, kinds: verdicts.map(({ kind }) => kind), proves: verdicts.map(({ proves }) => proves) }
}

describe('two exports of a home that shows two histories', () => {
  it('convict its log, which holds two blocks at one height, by files of their own', async () => {
    const made = await twoHistories()
    await made.one.append('left')
    await made.two.append('right')
    for (const { append } of [made.two, made.two]) await append('and on')
    for (const { tendLog } of [made.one, made.two]) await tendLog()
    const { said, kinds, proves } = await judged(made, [await made.one.exported(), await made.two.exported()])
    expect(said).toEqual([[], ['3 forked two-blocks']])
    expect(kinds).toEqual(['blocks'])
    expect(proves[0]).toMatch(/holds two different blocks at height 3 of chain \S+: a fork$/)
  })

  it('convict it by their trees as well, where these are of one size', async () => {
    const made = await twoHistories()
    await made.one.append('left')
    await made.two.append('right')
    for (const { tendLog } of [made.one, made.two]) await tendLog()
    const { said, kinds } = await judged(made, [await made.one.exported(), await made.two.exported()])
    // Receipts are given under the newest tree, whatever their block.
    const split = [0, 1, 2, 3].map((height) => `${height} forked split-view`)
    expect(said).toEqual([[], [...split, '3 forked two-blocks']])
    expect(kinds.toSorted()).toEqual(['blocks', 'checkpoints'])
  })

  it('show the fork, and convict nobody of it, where a block has no receipt or nobody judges receipts', async () => {
    const made = await twoHistories()
    await made.one.append('left')
    await made.two.append('right')
    await made.one.tendLog()
    const files = [await made.one.exported(), await made.two.exported()]
    expect(await judged(made, files)).toMatchObject({ said: [[], ['3 forked two-blocks']], kinds: [] })
    expect(await judged(made, files, false)).toMatchObject({ said: [[], ['3 forked two-blocks']], kinds: [] })
  })

  it('say nothing where one continues the other, in whatever order they are judged', async () => {
    const made = await twoHistories()
    const early = await made.one.exported()
    await made.one.append('and on')
    await made.one.tendLog()
    const late = await made.one.exported()
    for (const files of [
      [early, late],
      [late, early],
      [late, late],
    ])
      expect(await judged(made, files)).toMatchObject({ said: [[], []], kinds: [] })
  })

  it('convict it by the receipt that a third file has, where the first had none yet', async () => {
    const made = await twoHistories()
    await made.one.append('left')
    const early = await made.one.exported()
    await made.one.tendLog()
    await made.two.append('right')
    await made.two.append('and on')
    await made.two.tendLog()
    const files = [early, await made.one.exported(), await made.two.exported()]
    expect(await judged(made, files)).toMatchObject({
      said: [[], [], ['3 forked two-blocks']],
      kinds: ['blocks'],
    })
  })
})
