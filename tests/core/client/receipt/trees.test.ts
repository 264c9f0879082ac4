// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { createShown } from '#core/client/receipt/shown.ts'
import { createTrees } from '#core/client/receipt/rules/trees.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { treeVectors, withoutLog, type TreeVectors } from '#tests/vectors/ampere/generate-trees.ts'
import { fileOf, linesOf } from './export-mutations.ts'

const FOLDER = new URL('../../../vectors/ampere/receipts/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8')
const frozen = JSON.parse(read('trees.json')) as TreeVectors
const [first = {}, ...rest] = withoutLog(linesOf(read('export.ampere')))
const policy = parsePolicy(frozen.policy)
const bytesOf = (name: string) =>
  fileOf([first, ...(frozen.vectors.find((item) => item.name === name)?.lines ?? []), ...rest])

describe('the trees under the receipts of one file', () => {
  it('are what their generator writes', async () => {
    expect(await treeVectors()).toEqual(frozen)
  })

  it.each(frozen.vectors.map((item) => [item.name, item] as const))(
    '%s',
    async (name, { statuses, problems }) => {
      const kept: Uint8Array[] = []
      const report = await verifyExport(bytesOf(name), {
        policy,
        evidence: async (file) => `file ${kept.push(file)}`,
      })
      const found = report.problems.map(({ height, rule }) => [height, rule] as const)
      expect(found.toSorted(([a], [b]) => a - b)).toEqual(problems)
      expect(report.statuses).toEqual(statuses)
      const isSplit = problems.some(([, rule]) => rule === 'split-view')
      // One file is enough, however many sizes are split.
      expect(kept).toHaveLength(isSplit ? 1 : 0)
      const logs = policy.logs.map(({ key }) => formatVerifierKey(key))
      for (const file of kept)
        expect((await verifyEvidence(file, { registry: null, logs })).proves).toMatch(
          /with different roots: a split view$/,
        )
    },
  )
})

describe('the trees under the receipts of two files', () => {
  const ofBoth = async (one: string, two: string) => {
    const shown = createShown()
    const kept: Uint8Array[] = []
    const verify = (name: string) =>
      verifyExport(bytesOf(name), { policy, shown, evidence: async (file) => `file ${kept.push(file)}` })
    const before = await verify(one)
    const after = await verify(two)
    return { before: before.problems.length, after: after.problems, kept: kept.length }
  }

  it('are compared where one reader judges both', async () => {
    const forked = 'trees of two sizes that receipts cannot tell from such'
    const { before, after, kept } = await ofBoth('trees of two sizes, one beginning the other', forked)
    expect([before, kept]).toEqual([0, 1])
    expect(after.filter(({ rule }) => rule === 'split-view')).toMatchObject([
      {
        height: 1,
        status: 'forked',
        detail: expect.stringMatching(/^the log signed two trees of 8 leaves.*file 1$/),
      },
    ])
  })

  it('are no fork where all of one size have one root', async () => {
    expect(await ofBoth('one tree', 'one tree that was signed twice')).toMatchObject({ before: 0, kept: 0 })
  })
})

describe('trees that are compared', () => {
  const tree = (size: number, byte: number, length = 9) => ({
    size,
    root: new Uint8Array(32).fill(byte),
    note: 'n'.repeat(length),
  })

  it('give the note of the first one of a size, and go on being compared when no more notes are kept', () => {
    const trees = createTrees()
    expect(trees.add(tree(3, 1, 16 * 1024 * 1024))).toBeNull()
    expect(trees.add(tree(4, 1))).toBeNull()
    expect([trees.add(tree(3, 2))?.length, trees.add(tree(4, 2)), trees.add(tree(4, 1))]).toEqual([
      16 * 1024 * 1024,
      '',
      null,
    ])
    expect([3, 4, 5].map((size) => trees.isSplit(size))).toEqual([true, true, false])
  })
})
