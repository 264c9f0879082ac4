// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { createShown } from '#core/client/receipt/shown.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { twoHistories } from '#tests/core/client/receipt/two-histories.ts'
import { comparable, describeWithPython, inNode, verifyInPython } from '../software.ts'

describeWithPython('files of a home that shows two histories', () => {
  it('are compared by both alike, in any order, with a policy and without', async () => {
    const { one, two, policy, pins } = await twoHistories()
    const early = await one.exported()
    for (const [branch, texts] of [
      [one, ['left']],
      [two, ['right']],
    ] as const) {
      for (const text of texts) await branch.append(text)
      await branch.tendLog()
    }
    const files = [early, await one.exported(), await two.exported()]
    await two.append('and on')
    await two.tendLog()
    files.push(await two.exported())
    const seen = new Set<string>()
    for (const order of [files, files.toReversed(), [...files.slice(2), ...files.slice(0, 2)]])
      for (const text of [formatPolicy(policy), undefined]) {
        const shown = createShown()
        const here = []
        for (const bytes of order)
          here.push(await inNode(bytes, pins.registry, undefined, text, undefined, shown))
        const given = {
          registry: pins.registry,
          together: true,
          ...(text === undefined ? {} : { policy: text }),
        }
        expect(verifyInPython(order, given).answers.map(comparable)).toEqual(here)
        for (const answer of here)
          for (const { rule } of 'problems' in answer ? (answer.problems ?? []) : []) seen.add(rule)
      }
    expect([...seen].toSorted()).toEqual(['split-view', 'two-blocks'])
  })
})
