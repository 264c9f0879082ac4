// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { asDigest } from '#core/bytes/ids.ts'
import { fileOf, linesOf } from '#tests/core/client/receipt/export-mutations.ts'
import { withoutLog, type TreeVectors } from '#tests/vectors/ampere/generate-trees.ts'
import { comparable, describeWithPython, inNode, verifyInPython } from '../software.ts'

const FOLDER = new URL('../../../vectors/ampere/receipts/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8')
const { policy, registry, vectors } = JSON.parse(read('trees.json')) as TreeVectors
const [first = {}, ...rest] = withoutLog(linesOf(read('export.ampere')))

describeWithPython('the frozen trees in Python', () => {
  it('are judged as they must be, and as verifyExport judges them', async () => {
    const files = vectors.map(({ lines }) => fileOf([first, ...lines, ...rest]))
    const { answers } = verifyInPython(files, { registry, policy })
    const said = answers.map(({ problems = [], ...answer }, i) => ({
      name: vectors[i]?.name,
      statuses: 'statuses' in answer ? answer.statuses : null,
      problems: problems
        .map(({ height, rule }) => [height, rule])
        .toSorted(([a], [b]) => Number(a) - Number(b)),
    }))
    expect(said).toEqual(vectors.map(({ name, statuses, problems }) => ({ name, statuses, problems })))
    const here = await Promise.all(files.map((bytes) => inNode(bytes, asDigest(registry), undefined, policy)))
    expect(answers.map(comparable)).toEqual(here)
    expect(files).toHaveLength(12)
  })
})
