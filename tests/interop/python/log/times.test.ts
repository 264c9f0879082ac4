// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import {
  fileOf,
  having,
  linesOf,
  withoutRegistryReceipts,
  withoutWitnesses,
} from '#tests/core/client/receipt/export-mutations.ts'
import { TIMED, timedRecord, type TimedVectors } from '#tests/vectors/ampere/times/timed-vectors.ts'
import { comparable, describeWithPython, inNode, verifyInPython } from '../software.ts'

const FROZEN = new URL('../../../vectors/ampere/times/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, FROZEN))

describeWithPython('times in Python', () => {
  it('of the frozen exports say what is expected', () => {
    const { policy, vectors } = JSON.parse(read('expected.json').toString()) as TimedVectors
    for (const { name, registry, statuses, problems } of vectors) {
      const { answers } = verifyInPython([read(`${name}.ampere`)], { registry, policy })
      expect([name, ...answers.map(comparable)]).toMatchObject([name, { log: { statuses }, problems }])
    }
  })

  it.each(TIMED.map(({ name }) => name))('of a living home say what verifyExport says: %s', async (name) => {
    const { bytes, registry, policy } = await timedRecord(name)
    const lines = linesOf(fromUtf8(bytes))
    const heights = lines.filter((line) => 'block' in line).map((_, height) => height)
    const files = [
      lines,
      withoutWitnesses(lines),
      withoutRegistryReceipts(lines),
      ...heights.map((height) => having('receipt', height, () => null)(lines)),
      ...heights.map((height) => having('receipt', height, (line) => ({ ...line, receipt: '' }))(lines)),
    ].map(fileOf)
    const nobody = policy.replace(/quorum \S+\n$/, 'quorum none\n')
    for (const judge of [policy, nobody]) {
      const here = await Promise.all(files.map((file) => inNode(file, registry, undefined, judge)))
      const { answers } = verifyInPython(files, { registry, policy: judge })
      expect(answers.map(comparable)).toEqual(here)
    }
  })
})
