// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { twoHistories } from '#tests/core/client/receipt/two-histories.ts'
import { freshFolder, run } from '../harness.ts'

describe('verify FILE --beside OTHER', () => {
  it('says that two exports show two blocks at one height, and that one continues another', async () => {
    const { one, two, policy, pins } = await twoHistories()
    const folder = freshFolder()
    mkdirSync(folder, { recursive: true })
    const path = (name: string) => join(folder, name)
    writeFileSync(path('early'), await one.exported())
    for (const [name, branch] of Object.entries({ one, two })) {
      await branch.append(name)
      await branch.tendLog()
      writeFileSync(path(name), await branch.exported())
    }
    writeFileSync(path('policy'), formatPolicy(policy))
    const verify = (file: string, beside: string) =>
      run(
        ['verify', path(file), '--beside', path(beside), '--policy', path('policy')].concat([
          '--registry',
          pins.registry,
          '--data',
          path('none'),
          '--json',
        ]),
      )
    const agreeing = await verify('one', 'early')
    expect([agreeing.code, JSON.parse(agreeing.out)]).toMatchObject([0, { ok: true, problems: [] }])
    const forked = await verify('one', 'two')
    expect(forked.code).toBe(3)
    const { problems } = JSON.parse(forked.out) as { problems: { height: number; rule: string }[] }
    expect(problems.filter(({ rule }) => rule === 'two-blocks')).toMatchObject([
      { height: 3, status: 'forked' },
    ])
    expect(await verify('one', 'absent')).toMatchObject({
      code: 1,
      out: expect.stringContaining('NOT_FOUND'),
    })
  })
})
